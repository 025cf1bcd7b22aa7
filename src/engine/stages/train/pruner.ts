import type { Study } from '../../../shared/study.ts';
import type { PruneEvidence } from '../../../shared/verdicts/prune.ts';
import { CurveReader } from '../../metrics/curve.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';
import type { Ledger } from '../../store/ledger.ts';
import { unpackInTurns } from '../../store/series.ts';
import { judgeCurve, type PastRun, PRUNE_RUNS } from '../judge/prune.ts';

/** Reads a run's points; returns the evidence once it is hopeless, null until then. */
export type RunWatch = (point: SeriesPoint) => PruneEvidence | null;

/** Watches a sitting's runs for those that can no longer reach the incumbent, if the contract asks for it. */
export class Pruner {
  readonly #study: Study;
  readonly #ledger: Ledger;
  /** By experiment; null if there is nothing to compare with. Curves never change. */
  readonly #past = new Map<number, PastRun | null>();

  constructor(study: Study, ledger: Ledger) {
    this.#study = study;
    this.#ledger = ledger;
  }

  /** Call it before each run of experiment `n`. A run on another line has to beat only that line's best. */
  async watch(n: number): Promise<RunWatch> {
    const { contract, id } = this.#study;
    if (this.#ledger.experiments.get(id, n)?.otherLine != null) return () => null;
    const best = contract.budget.prune ? this.#ledger.experiments.incumbent(id) : null;
    const incumbent = best && (await this.#pastRun(best.n));
    if (!best || !incumbent) return () => null;
    const earlier: PastRun[] = [];
    const last = this.#ledger.experiments.lastNumber(id) ?? 0;
    for (let other = last; other >= 0 && earlier.length < PRUNE_RUNS; other -= 1) {
      const run = other === best.n ? null : await this.#pastRun(other);
      if (run) earlier.push(run);
    }
    const { name: metric, goal } = contract.metric;
    const reader = this.#reader();
    return point => {
      const curve = reader.add(point) ? reader.curve(false) : null;
      return curve && judgeCurve({ goal, metric, curve, incumbent, earlier });
    };
  }

  #reader(): CurveReader {
    const { metric, budget } = this.#study.contract;
    return new CurveReader({ metric: metric.name, budgetSeconds: budget.seconds });
  }

  async #pastRun(n: number): Promise<PastRun | null> {
    const { experiments, runs } = this.#ledger;
    const known = this.#past.get(n);
    if (known !== undefined) return known;
    const experiment = experiments.get(this.#study.id, n);
    if (experiment?.phase !== 'recorded') return null;
    const { metric, verdict } = experiment;
    const isFair = verdict?.evidence.unfair === undefined;
    let run: PastRun | null = null;
    if (verdict && metric !== null && isFair) {
      const reader = this.#reader();
      const chunks = runs.seriesChunks(this.#study.id, n, verdict.evidence.run);
      for (const point of await unpackInTurns(chunks)) reader.add(point);
      const curve = reader.curve(true);
      run = curve && { curve, metric };
    }
    this.#past.set(n, run);
    return run;
  }
}
