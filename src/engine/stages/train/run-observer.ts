import type { RunBudget } from '../../../shared/contract/budget.ts';
import { type EarlyEnd, reasonOf } from '../../../shared/verdicts/early-end.ts';
import { OutputReader, type SeriesPoint } from '../../metrics/output-reader.ts';
import { StepRate } from '../../metrics/step-rate.ts';
import { awakeMs } from '../../process/awake-clock.ts';
import { studyBudget } from '../judge/study-budget.ts';
import type { BegunRun } from './begin-run.ts';
import { BudgetWatch } from './budget-watch.ts';
import { MachineWatch } from './machine-watch.ts';
import { ProgressEmitter, SeriesWriter } from './series-writer.ts';
import type { TrainPorts } from './train-ports.ts';

/**
 * Follows one training: reads its output, writes its series to the ledger, watches the machine and the budget, and
 * decides when to end it. Observes from construction until {@link stop}.
 */
export class RunObserver {
  readonly steps = new StepRate();
  readonly reader: OutputReader;
  readonly machine: MachineWatch;
  readonly #begun: BegunRun;
  readonly #ports: TrainPorts;
  readonly #progress: ProgressEmitter;
  readonly #series: SeriesWriter;
  readonly #telemetry: SeriesWriter;
  readonly #budget: BudgetWatch;
  readonly #broken = new AbortController();
  readonly #enough = new AbortController();
  readonly #stopped = new AbortController();
  #early: EarlyEnd | null = null;
  /** By the clock that stands still while nothing trains; null while the run waits in a queue. */
  #began: number | null;
  #startedAt: number;

  constructor(begun: BegunRun, ports: TrainPorts) {
    this.#begun = begun;
    this.#ports = ports;
    this.#startedAt = begun.startedAt;
    this.#began = ports.remote ? null : awakeMs();
    const { ledger, emit, running } = ports;
    const { study, n, k, row, baseline } = begun;
    running.set(n, () => this.#stopped.abort(new DOMException('ended by the user', 'AbortError')));
    const elapsed = () => this.#elapsed();
    this.#progress = new ProgressEmitter(values =>
      emit({ type: 'progress', n, k, elapsedSeconds: elapsed(), values }),
    );
    this.#series = new SeriesWriter(points => this.#write(() => ledger.runs.addPoints(row, points)));
    this.#telemetry = new SeriesWriter(points => this.#write(() => ledger.runs.addTelemetry(row, points)));
    this.#budget = new BudgetWatch({
      ...{ budget: budgetOf(begun, ports), elapsed },
      startupSeconds: study.contract.budget.startupSeconds,
      onOver: overBudget => this.#end({ overBudget }),
    });
    const units = n === 0 ? {} : (baseline?.units ?? {});
    this.reader = new OutputReader(point => this.#take(point), elapsed, {
      ...{ metric: study.contract.metric, units, source: study.contract.source },
    });
    this.machine = new MachineWatch({
      ...{ telemetry: ports.remote ? undefined : ports.telemetry, marker: begun.marker, elapsed },
      environment: { ...ports.userEnvironment, ...ports.gpu.variables },
      onPoint: point => this.#telemetry.add(point),
      onGpu: ({ utilizationPercent }) => this.#budget.gpu(utilizationPercent),
    });
  }

  /** Aborted if the ledger or a reader failed, because the result could not be recorded. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** Aborted once enough is known about the run. */
  get enough(): AbortSignal {
    return this.#enough.signal;
  }

  /** Aborted if the user ended only this run. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Why the run is to be ended early; null if it is not. */
  get early(): EarlyEnd | null {
    return this.#early;
  }

  /** Milliseconds since the epoch. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** The training begins only now, after waiting in a queue. */
  begin(): void {
    [this.#began, this.#startedAt] = [awakeMs(), this.#ports.now()];
  }

  push(chunk: Buffer): void {
    this.attempt(() => this.reader.push(chunk));
  }

  /** An error in `work` ends the training. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken.abort(error);
    }
  }

  /** @param write stores something together with the last points */
  stop(write: () => void = () => {}): void {
    this.machine.stop();
    this.#budget.stop();
    this.attempt(() => this.reader.end());
    const { runs } = this.#ports.ledger;
    const { row } = this.#begun;
    const [series, telemetry] = [this.#series.take(), this.#telemetry.take()];
    this.#write(() => {
      if (series.length > 0) runs.addPoints(row, series);
      if (telemetry.length > 0) runs.addTelemetry(row, telemetry);
      write();
    });
    this.#progress.flush();
  }

  #elapsed(): number {
    return this.#began === null ? 0 : (awakeMs() - this.#began) / 1000;
  }

  #write(work: () => void): void {
    this.attempt(() => this.#ports.ledger.write(work));
  }

  #take(point: SeriesPoint): void {
    this.#series.add(point);
    this.#progress.add(point);
    this.steps.add(point);
    if (point.values.has('step')) this.#budget.step();
    const pruned = this.#begun.isHopeless(point);
    if (pruned) this.#end({ pruned });
  }

  #end(found: EarlyEnd): void {
    this.#early ??= found;
    this.#enough.abort(reasonOf(this.#early));
  }
}

function budgetOf({ study, n, commit, purpose }: BegunRun, { ledger }: TrainPorts): RunBudget {
  // The user's own code sets the time for all others, and other data may take a different time.
  const isMeasure = n === 0 || commit === study.baseCommit || purpose === 'probe';
  return isMeasure ? { kind: 'fixed' } : studyBudget(study, ledger);
}
