import { rollups, sum } from 'd3-array';
import type { InstructionsYield, NoteYield } from '../../shared/debrief/debrief.ts';
import { branchGain, isKept, type Trial, trainedSeconds } from './trial.ts';

/** Since when the instructions or the note applied. */
type Period = { readonly at: number };

/** For each, what was tried while it was the newest, judged by when the experiments began. */
function yieldsOf<P extends Period>(periods: readonly P[], trials: readonly Trial[]) {
  return periods.map((period, place) => {
    const end = periods[place + 1]?.at ?? Number.POSITIVE_INFINITY;
    const own = trials.filter(({ n, startedAt }) => n > 0 && startedAt >= period.at && startedAt < end);
    const gain = sum(own, branchGain);
    const hours = sum(own, trainedSeconds) / 3600;
    const [first, last] = [own[0], own.at(-1)];
    const lastKeep = own.findLastIndex(isKept);
    return {
      ...period,
      ...{ experiments: own.length, keep: own.filter(isKept).length, gain },
      gainPerHour: hours > 0 ? gain / hours : null,
      categories: countCategories(own),
      range: first && last ? ([first.n, last.n] as const) : null,
      sinceGain: own.length - 1 - lastKeep,
    };
  });
}

function countCategories(trials: readonly Trial[]): readonly { name: string; count: number }[] {
  const names = trials.flatMap(({ proposal }) => proposal?.category || []);
  return rollups(
    names,
    all => all.length,
    name => name,
  )
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count);
}

/** @param versions oldest first */
export function instructionsYields(
  versions: readonly { readonly version: number; readonly at: number }[],
  trials: readonly Trial[],
): readonly InstructionsYield[] {
  return yieldsOf(versions, trials).filter(({ experiments }) => experiments > 0);
}

/** @param notes oldest first */
export function noteYields(
  notes: readonly { readonly text: string; readonly at: number }[],
  trials: readonly Trial[],
): readonly NoteYield[] {
  return yieldsOf(notes, trials);
}
