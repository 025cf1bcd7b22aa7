import type { Summary } from '../../shared/study.ts';
import { parseQuantity } from './number.ts';

/** Names of more summary values than this are dropped: a result has a dozen. */
const MAX_SUMMARY_KEYS = 256;

const PAIR = /^\s{0,8}([A-Za-z_][\w.\-/%]{0,63})\s*:\s*(.+)$/;
const METRIC = /^\s*METRIC\s+([A-Za-z_][\w.\-/]{0,63})\s*=\s*(.+)$/;

/**
 * Collects the result as the lines go by. A `---` line opens a block of `name: number` lines that lasts until a
 * line of another form; the last block wins over everything before it. `METRIC name=number` lines count from
 * wherever they stand, and so do, where there never is a block, plain `name: number` lines: the last one wins.
 */
export class SummaryReader {
  #hasBlock = false;
  #block: Map<string, number> | null = null;
  #plain = new Map<string, number>();
  #result = new Map<string, number>();

  line(line: string): void {
    if (/^\s*-{3,}\s*$/.test(line)) {
      this.#block = new Map();
      return;
    }
    const metric = METRIC.exec(line);
    if (metric) {
      this.#set(this.#result, metric[1] ?? '', metric[2] ?? '');
      return;
    }
    if (line.trim() === '') return;
    const pair = PAIR.exec(line);
    if (!pair) {
      this.#block = null;
      return;
    }
    if (this.#block) {
      if (this.#block.size === 0) {
        // A new block is a new result: a value only an earlier one has is stale.
        this.#result = new Map();
        this.#hasBlock = true;
      }
      this.#set(this.#block, pair[1] ?? '', pair[2] ?? '');
      this.#set(this.#result, pair[1] ?? '', pair[2] ?? '');
    } else {
      this.#set(this.#plain, pair[1] ?? '', pair[2] ?? '');
    }
  }

  /** What counts, or null where nothing of the form was printed. */
  result(): Summary | null {
    const result = this.#hasBlock ? this.#result : new Map([...this.#plain, ...this.#result]);
    return result.size === 0 ? null : Object.fromEntries(result);
  }

  #set(target: Map<string, number>, name: string, text: string): void {
    const quantity = parseQuantity(text);
    if (!quantity) {
      target.delete(name);
      return;
    }
    if (target.size < MAX_SUMMARY_KEYS || target.has(name)) target.set(name, quantity.value);
  }
}
