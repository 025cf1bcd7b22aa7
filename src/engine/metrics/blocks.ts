import { type Pair, pairOf, readTableRow } from './pairs.ts';
import { type ProgressPoint, pointOf } from './progress.ts';

const RULE = /^[-=+]{8,400}\s{0,8}$/;
/** Counters of a table, the one that steps most finely first. */
const COUNTERS = [/^(?:total_?)?(?:time)?steps$|^(?:global_)?step$/i, /^iter(?:ation)?s?$/i, /^epochs?$/i];
/** More rows than this are no report of one step. */
const MAX_ROWS = 64;
/** Composer counts epochs from 1, and batches within one. */
const HEADING = /^\[epoch=(\d{1,9})\]\[batch=(\d{1,9})\/(\d{1,9})\]:/;
const ROW = /^\s{1,8}(?:Train|Eval) ([^\s:]{1,63}): (?=[-+.\dni])/;

/**
 * Reads progress that takes several lines: tables of names and numbers between two rules, with a counter among them, as
 * Stable-Baselines3 prints them; and the lines below `[epoch=1][batch=8/32]:`, as Composer prints them.
 */
export class BlockReader {
  #rows: Pair[] = [];
  #isTable = false;
  /** The step of the last heading. */
  #step: number | null = null;

  /** What a line completes; null for any other line. */
  line(line: string): ProgressPoint | null {
    const first = line[0];
    // On a terminal, an empty line stands behind each.
    if (first === undefined) return null;
    if (first === '|' && this.#isTable) this.#add(line);
    else if (first === '-' || first === '=' || first === '+') return this.#rule(line);
    else if (first === '[') this.#head(line);
    else if (this.#step !== null && (first === '\t' || first === ' ')) return this.#row(line, this.#step);
    else this.#isTable = false;
    return null;
  }

  #add(line: string): void {
    const row = this.#rows.length < MAX_ROWS ? readTableRow(line) : null;
    if (row) this.#rows.push(row);
  }

  /** A rule ends a table, and may begin the next. */
  #rule(line: string): ProgressPoint | null {
    const rows = this.#isTable ? this.#rows : [];
    this.#rows = [];
    this.#isTable = RULE.test(line);
    const counter = COUNTERS.map(form => rows.find(({ name }) => form.test(name))).find(Boolean);
    const step = counter?.quantity?.value;
    return step === undefined ? null : pointOf(rows, [['step', step]]);
  }

  #head(line: string): void {
    const [, epoch, batch, batches] = HEADING.exec(line) ?? [];
    if (epoch !== undefined) this.#step = (Number(epoch) - 1) * Number(batches) + Number(batch);
  }

  #row(line: string, step: number): ProgressPoint | null {
    const row = ROW.exec(line);
    const [, name = ''] = row ?? [];
    return row ? pointOf([pairOf(name, line.slice(row[0].length))], [['step', step]]) : null;
  }
}
