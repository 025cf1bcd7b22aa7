import { setImmediate as nextTurn } from 'node:timers/promises';
import { lastTrial } from '../../shared/study.ts';
import type { GpuUse } from '../../shared/table-rows.ts';
import type { SeriesPoint } from '../metrics/output-reader.ts';
import type { Ledger } from '../store/ledger.ts';
import { unpackInTurns } from '../store/series.ts';

/** The name of one GPU's utilization in percent, as `telemetrySeries` writes it. */
const USE = /^gpu\d+_utilization_percent$/;
/** Finished runs to remember, by study, experiment and run. */
const KEPT = 20_000;

/** How busy the GPUs were while experiments trained. Remembers values that can no longer change. */
export class GpuUses {
  readonly #ledger: Ledger;
  readonly #known = new Map<string, number | null>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  async read(study: string, ns: readonly number[]): Promise<readonly GpuUse[]> {
    const uses: GpuUse[] = [];
    for (const n of ns) {
      // Unpacking a run's samples takes a millisecond or more, so let the loop run between two of them.
      await nextTurn();
      const run = lastTrial(this.#ledger.runs.list(study, n));
      if (!run) continue;
      const key = `${study}/${n}/${run.k}`;
      const known = this.#known.get(key);
      const percent =
        known === undefined
          ? busiest(await unpackInTurns(this.#ledger.runs.telemetryChunks(study, n, run.k)))
          : known;
      if (run.outcome !== null) {
        if (this.#known.size >= KEPT) this.#known.clear();
        this.#known.set(key, percent);
      }
      uses.push({ n, percent });
    }
    return uses;
  }
}

/** The mean of the busiest GPU's series; null where no GPU was sampled. */
export function busiest(points: readonly SeriesPoint[]): number | null {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { values } of points) {
    for (const [name, value] of values) {
      if (!USE.test(name) || !Number.isFinite(value)) continue;
      const own = sums.get(name) ?? { sum: 0, count: 0 };
      sums.set(name, { sum: own.sum + value, count: own.count + 1 });
    }
  }
  const means = [...sums.values()].map(({ sum, count }) => sum / count);
  return means.length === 0 ? null : Math.max(...means);
}
