import { unreachable } from '../../shared/errors.ts';
import { formatSeconds } from '../../shared/numbers.ts';
import type { Crash, CrashClass, RunOutcome } from '../../shared/study.ts';
import { findCause } from './find-cause.ts';

const TRACEBACK = 'Traceback (most recent call last)';
/** How a traceback's first line goes on: Python's own with a colon, rich's with the edge of its box. */
const AFTER_TRACEBACK = /^(?::| ─)/;
/** What launchers print before each line of a process: `[rank0]: ` (torch), `(train pid=812) ` (ray). */
const PROCESS_LABEL = /(?:\[[^\]]{1,60}\]|\([^)]{1,60}\)):? $/;
/** What Python prints before each line of an exception in a group. */
const IN_GROUP = /^\s{2,64}\| /;
const RECENT_LINES = 40;
const TRACEBACK_LINES = 400;
const LINE_CHARACTERS = 400;
/** How many lines of the traceback's end are kept: about the last three frames and the message. */
const TAIL_LINES = 12;

/** A warning that memory may run out is no lack of it. */
const OUT_OF_MEMORY =
  /(?<!\brun(?:ning)? )out of memory|\bOut of memory (?:allocating|while)\b|MemoryError\b|\b(?:CUBLAS_STATUS_ALLOC_FAILED|std::bad_alloc|[Cc]annot allocate memory|memory allocation of \d+ bytes failed|OOM when allocating|oom-kill)\b/;
/** Every line of the output passes here, and looking for these is quicker. */
const MAYBE_OUT_OF_MEMORY = /emory|ALLOC_F|bad_alloc|OOM|oom-kill/;
/** The line that ends a traceback, as Python prints it. */
const EXCEPTION = /^[A-Za-z_][\w.]*(?:$|:\s|:$)/;
/** An exception that says nothing but its name. */
const BARE_NAME = /^[\w.]+$/;
/** The line below a source line that marks a part of it. */
const MARKS = /^[\s^~]+$/;
/**
 * What launchers raise after the training has printed its own traceback. Sources: accelerate 1.15.0 (`launch.py`),
 * torch 2.15.0 (`distributed/launcher/api.py`).
 */
const OF_LAUNCHER =
  /^(?:subprocess\.CalledProcessError|torch\.distributed\.elastic\.multiprocessing\.errors\.ChildFailedError):/;
/** How launchers report what ended a training; without a number, it was no signal. */
const CHILD_END = /died with <Signals\.\w{1,16}: (\d{1,3})>|^\s{1,8}traceback : (?:Signal (\d{1,3}) )?/;
/** Upstream prints this word alone or after the progress line, and exits with 1. */
const FAIL = /(?:^|\s)FAIL\s*$/;

/**
 * How programs report that they asked something and standard input had ended. For the end of a file they use other
 * words.
 */
const END_OF_INPUT = /^EOFError: EOF when reading a line$|\bUser force closed the prompt\b/;
/** From getpass. A connection between processes ends with the same word, but asks nothing. */
const BARE_END = /^EOFError$/;
/** What click prints in that case, at the end of a line. */
const ABORTED = 'Aborted!';
/** A line that ends like a question. */
const QUESTION = /[?:>\])]\s*$/;
const QUESTION_CHARACTERS = 200;

/** The crash class for each exceeded limit. */
const LIMIT_CLASSES = {
  memory: 'out_of_memory',
  processes: 'killed',
  disk: 'disk_full',
} as const satisfies Record<string, CrashClass>;

/** Remembers, in bounded memory, the lines that explain a crash. */
export class CrashReader {
  #recent: string[] = [];
  #traceback: string[] | null = null;
  /** The line that closes the traceback: `Name: message`. */
  #raised: string | null = null;
  #sawOutOfMemory: string | null = null;
  #sawFail = false;
  /** The traceback before this one, if it ended shortly before. */
  #before: { readonly traceback: string[]; readonly raised: string; readonly asked: string | null } | null =
    null;
  #linesSinceRaised = 0;
  /** What stands before each line of the traceback. */
  #label = '';
  /** The signal that ended a launcher's child. */
  #childSignal: number | null = null;
  /** The text before the traceback on its line, or before the word that reports the end of the input. */
  #asked: string | null = null;
  #sawEndOfInput = false;

  line(line: string): void {
    const start = line.lastIndexOf(TRACEBACK);
    const isStart = start >= 0 && AFTER_TRACEBACK.test(line.slice(start + TRACEBACK.length));
    if (isStart) this.#label = PROCESS_LABEL.exec(line.slice(Math.max(0, start - 80), start))?.[0] ?? '';
    const own = this.#label !== '' && line.startsWith(this.#label) ? line.slice(this.#label.length) : line;
    const short = own.length > LINE_CHARACTERS ? `${own.slice(0, LINE_CHARACTERS)}…` : own;
    this.#linesSinceRaised += 1;
    if (isStart) {
      const isNear = this.#linesSinceRaised <= RECENT_LINES;
      const [traceback, raised] = [this.#traceback, this.#raised];
      this.#before =
        traceback && raised !== null && isNear ? { traceback, raised, asked: this.#asked } : null;
      // A traceback may follow a progress line that has no newline.
      this.#traceback = [`${TRACEBACK}:`];
      this.#raised = null;
      this.#asked = this.#questionIn(line.slice(0, start));
    } else if (this.#traceback && this.#raised === null && short.trim() !== '') {
      if (this.#traceback.length >= TRACEBACK_LINES) this.#traceback.splice(1, 1);
      this.#traceback.push(short);
      // The exception's own line ends the traceback; later lines are not part of it.
      const plain = short.replace(IN_GROUP, '');
      if (EXCEPTION.test(plain)) this.#endTraceback(plain.trim());
    } else if (
      this.#linesSinceRaised === 1 &&
      this.#raised?.endsWith(':') &&
      !OF_LAUNCHER.test(this.#raised)
    ) {
      // What a message announces is in its next line.
      this.#traceback?.push(short);
      this.#raised = `${this.#raised} ${short.replace(IN_GROUP, '').trim()}`.trim();
    }
    // As with memory, looking for words is quicker than the pattern.
    const isOfChild = short.includes('<Signals.') || short.includes('traceback : ');
    const end = isOfChild ? CHILD_END.exec(short) : null;
    if (end) this.#childSignal = Number(end[1] ?? end[2] ?? 0) || null;
    const trimmed = short.trim();
    if (this.#traceback === null && trimmed.endsWith(ABORTED)) {
      this.#sawEndOfInput = true;
      this.#asked = this.#questionIn(trimmed.slice(0, -ABORTED.length));
    }
    if (isOutOfMemory(short)) this.#sawOutOfMemory = trimmed;
    if (FAIL.test(line.slice(-16))) this.#sawFail = true;
    if (trimmed === '') return;
    this.#recent.push(short);
    if (this.#recent.length > RECENT_LINES) this.#recent.shift();
  }

  /**
   * Why a run has no result; null if it ended with exit code 0 and a finite metric, or needed none.
   * @param metric the metric's value, null if it was not printed
   * @param metricName null if the run need not print it
   */
  classify(
    outcome: RunOutcome,
    metric: number | null,
    metricName: string | null,
    limitSeconds: number,
  ): Crash | null {
    const of = (kind: CrashClass, message: string): Crash => ({ class: kind, message, tail: this.#tail() });
    switch (outcome.kind) {
      case 'timeout':
        return of('timeout', `Timed out after ${formatSeconds(limitSeconds)}, the contract's limit.`);
      case 'flooded':
        return of('killed', 'Ended because it printed more than 2 GB.');
      case 'spawn_failed':
        return of('spawn_failed', outcome.message);
      case 'limited':
        return of(LIMIT_CLASSES[outcome.limit], outcome.message);
      case 'pruned':
      case 'over_budget':
        return null;
      case 'aborted':
      case 'interrupted':
        return of('killed', 'Ended before it finished.');
      case 'signal':
        return this.#sawOutOfMemory
          ? of('out_of_memory', this.#sawOutOfMemory)
          : of('killed', endedBy(outcome.signal));
      case 'exit':
        return this.#classifyExit(outcome.code, metric, metricName, of);
      default:
        return unreachable(outcome);
    }
  }

  #classifyExit(
    code: number,
    metric: number | null,
    metricName: string | null,
    of: (kind: CrashClass, message: string) => Crash,
  ): Crash | null {
    if (code === 0) {
      if (metricName === null) return null;
      if (metric === null) return of('no_metric', `Ended with exit code 0 but printed no ${metricName}.`);
      return Number.isFinite(metric) ? null : of('diverged', `${metricName} is ${metric}.`);
    }
    // An exception that was caught and printed earlier is not the one that ended the run.
    const raised = this.#raised ?? '';
    const isUnanswered =
      END_OF_INPUT.test(raised) || ((BARE_END.test(raised) || this.#sawEndOfInput) && this.#asked !== null);
    if (isUnanswered) return of('exception', this.#unanswered());
    if (OF_LAUNCHER.test(raised) && this.#childSignal !== null && !this.#sawOutOfMemory) {
      return of('killed', endedBy(this.#childSignal));
    }
    if (this.#raised)
      return of(isOutOfMemory(this.#raised) ? 'out_of_memory' : 'exception', this.#explained(this.#raised));
    if (this.#sawOutOfMemory) return of('out_of_memory', this.#sawOutOfMemory);
    if (this.#sawFail || (metric !== null && !Number.isFinite(metric))) {
      return of('diverged', 'The training reported FAIL: the loss was not finite or too large.');
    }
    const cause = findCause(this.#recent);
    return of('exception', `Ended with exit code ${code}${cause === null ? '.' : `: ${cause}`}`);
  }

  #endTraceback(raised: string): void {
    this.#raised = raised;
    this.#linesSinceRaised = 0;
    // A launcher only says that the training failed; the traceback before says why.
    if (!OF_LAUNCHER.test(raised) || this.#before === null) return;
    this.#traceback = this.#before.traceback;
    this.#raised = this.#before.raised;
    this.#asked = this.#before.asked;
  }

  /** With the assertion that failed, if the exception does not say more than its name. */
  #explained(raised: string): string {
    if (!BARE_NAME.test(raised)) return raised;
    const source = this.#traceback
      ?.findLast((line, at, all) => at < all.length - 1 && !MARKS.test(line))
      ?.trim();
    return source?.startsWith('assert ') ? `${raised}: ${source}` : raised;
  }

  /** The question on a printed line, or on the line before. */
  #questionIn(text: string): string | null {
    const candidate = text.trim() || (this.#recent.at(-1) ?? '').trim();
    return QUESTION.test(candidate) ? candidate.slice(-QUESTION_CHARACTERS) : null;
  }

  #unanswered(): string {
    const what = this.#asked === null ? 'It asked something' : `It asked "${this.#asked}"`;
    return `${what}, but it has no input, so nobody can answer${this.#raised ? ` (${this.#raised})` : ''}.`;
  }

  #tail(): readonly string[] {
    const lines = this.#traceback ?? this.#recent;
    return lines.filter(line => line.trim() !== '').slice(-TAIL_LINES);
  }
}

function isOutOfMemory(line: string): boolean {
  return MAYBE_OUT_OF_MEMORY.test(line) && OUT_OF_MEMORY.test(line);
}

function endedBy(signal: number): string {
  return `Ended by signal ${signal}${signal === 9 ? ', which the system sends when memory runs out' : ''}.`;
}
