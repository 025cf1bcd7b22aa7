import { useMemo } from 'react';
import type { Cell, StudyCard } from '../../../shared/notebook.ts';
import type { ConstantTexts } from '../../../shared/table-rows.ts';
import { useConstantRows } from '../../app/experiment-rows.ts';
import { useStore } from '../../app/store.ts';
import { axisOf, type ConstantAxis, numberAxis } from './constant-axis.ts';

/** An experiment with its verdict and the texts of its constants. */
export type Trial = {
  readonly cell: Cell;
  readonly constants: ConstantTexts;
  /** Null for a crash, and without a finite number. */
  readonly metric: number | null;
};

export type Trials = {
  readonly all: readonly Trial[];
  /** For the constants that had more than one value. */
  readonly axes: readonly ConstantAxis[];
  readonly metricAxis: ConstantAxis | null;
  readonly incumbent: Trial | null;
  /** How many experiments' constants are still loading. */
  readonly missing: number;
};

/** The constants of experiments, and their results. */
export function useTrials(card: StudyCard): Trials {
  const constants = useConstantRows();
  const cells = useStore(state => state.notebook?.cells);
  const { bestExperiment } = card.tally;
  return useMemo(() => {
    const all = (cells ?? []).flatMap(cell => {
      const own = cell && constants.rows.get(cell.n);
      return cell?.verdict && own ? [{ cell, constants: own, metric: metricOf(cell) }] : [];
    });
    const metrics = all.flatMap(({ metric }) => metric ?? []);
    return {
      all,
      axes: axesOf(all),
      metricAxis:
        metrics.length === 0 ? null : numberAxis(card.contract.metric.name, withoutOutliers(metrics)),
      incumbent: all.find(({ cell }) => cell.n === bestExperiment) ?? null,
      missing: constants.missing,
    };
  }, [cells, constants, bestExperiment, card.contract.metric.name]);
}

function metricOf({ record, metric }: Cell): number | null {
  const value = record?.mean ?? metric;
  return value !== null && Number.isFinite(value) ? value : null;
}

function axesOf(trials: readonly Trial[]): readonly ConstantAxis[] {
  const texts = new Map<string, Set<string>>();
  for (const { constants } of trials) {
    for (const name of constants.names) {
      const text = constants.get(name);
      if (text === null) continue;
      const own = texts.get(name);
      if (own) own.add(text);
      else texts.set(name, new Set([text]));
    }
  }
  return [...texts].flatMap(([name, own]) => axisOf(name, own) ?? []);
}

/**
 * The median and three times the spread on either side: values beyond are drawn at the edge, so that the others can
 * be told apart.
 */
function withoutOutliers(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const spread = at(0.75) - at(0.25);
  if (spread === 0) return sorted;
  return sorted.filter(value => value >= at(0.25) - 3 * spread && value <= at(0.75) + 3 * spread);
}
