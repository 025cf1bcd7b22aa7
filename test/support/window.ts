import { onTestFinished } from 'vitest';
import { applyEvent, withCell } from '../../src/renderer/app/apply-event.ts';
import { type Notebook, type State, useStore } from '../../src/renderer/app/store.ts';
import type { NotebookEvent } from '../../src/shared/notebook.ts';
import type { Calls } from './service.ts';

/** The part of a window's state that mirrors the ledger, in a form that can be compared. */
export type Picture = Pick<State, 'projects' | 'studies' | 'settings'> &
  Pick<Notebook, 'marks' | 'refusals'> & { readonly cells: readonly unknown[] };

/** A window without a screen: snapshot, pages, then events, as in the real one. */
export class TestWindow {
  #state: State;
  #seq: number;
  readonly #ended = new AbortController();
  #waiting: (() => void)[] = [];
  /** True once the host refused to let it continue, or the connection is gone. */
  hasEnded = false;
  #failure: unknown = null;

  private constructor(state: State, seq: number) {
    this.#state = state;
    this.#seq = seq;
    onTestFinished(() => this.#ended.abort());
  }

  /** `pageSize` is small so that a small study has several pages. */
  static async open(calls: Calls, study: string | null, pageSize = 3): Promise<TestWindow> {
    const { epoch, seq, live, ...picture } = await calls.app.snapshot();
    const state = { ...useStore.getInitialState(), ...picture, live: live ? [{ ...live, folds: 0 }] : [] };
    const window = new TestWindow(state, seq);
    const signal = window.#ended.signal;
    const batches = await calls.app.events({ epoch, after: seq }, { signal });
    if (study !== null) {
      window.#state = { ...window.#state, study, notebook: await readNotebook(calls, study, pageSize) };
    }
    void (async () => {
      for await (const { from, events } of batches) {
        if (from !== window.#seq + 1) throw new Error(`a gap: ${from} after ${window.#seq}`);
        for (const event of events) window.#apply(event);
      }
    })()
      .catch(error => {
        window.#failure = error;
      })
      .finally(() => {
        window.hasEnded = true;
        for (const wake of window.#waiting.splice(0)) wake();
      });
    return window;
  }

  #apply(event: NotebookEvent): void {
    this.#state = { ...this.#state, ...applyEvent(this.#state, event) };
    this.#seq += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves when everything up to number `seq` has been applied. */
  async reach(seq: number): Promise<void> {
    while (this.#seq < seq) {
      if (this.hasEnded) throw this.#failure ?? new Error(`the events ended at ${this.#seq}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  picture(): Picture {
    const { projects, studies, settings, notebook } = this.#state;
    const { marks = [], refusals = [], cells = [] } = notebook ?? {};
    return { projects, studies, settings, marks, refusals, cells: cells.filter(cell => cell !== undefined) };
  }
}

async function readNotebook(calls: Calls, study: string, limit: number): Promise<Notebook> {
  let cells: Notebook['cells'] = [];
  for (let before: number | null = null; ; ) {
    const page: Awaited<ReturnType<Calls['studies']['cells']>> = await calls.studies.cells({
      study,
      before,
      limit,
    });
    for (const cell of page) cells = withCell(cells, cell);
    const last = page.at(-1);
    if (!last || last.n === 0 || page.length < limit) break;
    before = last.n;
  }
  return { study, cells, ...(await calls.studies.marks({ study })), status: 'ready', problem: null };
}
