import type { OverBudget, RunBudget } from '../../../shared/contract/budget.ts';

/** Between two looks. */
const LOOK_MS = 250;
/** A GPU that is busier than this is computing. */
const IDLE_PERCENT = 10;

export type BudgetWatchOptions = {
  readonly budget: RunBudget;
  /** Extra seconds for compiling before the first step. */
  readonly startupSeconds: number;
  /** Seconds since the run began. */
  readonly elapsed: () => number;
  readonly onOver: (evidence: OverBudget) => void;
};

/**
 * Watches the time of a run with a fixed budget. Before its first step a run may compile: seconds in which its GPU is
 * idle are added to its budget, up to a limit. Without a visible GPU nothing is added.
 */
export class BudgetWatch {
  readonly #options: BudgetWatchOptions;
  readonly #timer: NodeJS.Timeout | null = null;
  #hasStepped = false;
  #idleSeconds = 0;
  #seenAt: number | null = null;

  constructor(options: BudgetWatchOptions) {
    this.#options = options;
    if (options.budget.kind === 'time-boxed') this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** The run has printed a step. */
  step(): void {
    this.#hasStepped = true;
  }

  /** A sample of the run's GPU has arrived. */
  gpu(utilizationPercent: number | undefined): void {
    const now = this.#options.elapsed();
    const since = this.#seenAt ?? now;
    this.#seenAt = now;
    if (this.#hasStepped || utilizationPercent === undefined || utilizationPercent >= IDLE_PERCENT) return;
    this.#idleSeconds += now - since;
  }

  look(): void {
    const { budget, elapsed, onOver } = this.#options;
    if (budget.kind === 'fixed') return;
    const { baselineSeconds, allowedSeconds } = budget;
    const startupSeconds = Math.min(this.#idleSeconds, this.#options.startupSeconds);
    const seconds = elapsed();
    if (seconds <= allowedSeconds + startupSeconds) return;
    this.stop();
    onOver({ seconds, baselineSeconds, allowedSeconds, startupSeconds });
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }
}
