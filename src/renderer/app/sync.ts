import { CELL_PAGE, FIRST_CELLS } from '../../shared/cell-pages.ts';
import type { Cell, EventBatch, Snapshot } from '../../shared/notebook.ts';
import { clamp } from '../../shared/numbers.ts';
import type { Notice } from '../../shared/settings.ts';
import { type Client, type Connection, ConnectionError, type Host } from '../host/host.ts';
import { applyEvent, withMark, withRefusal } from './apply-event.ts';
import { lastStudy } from './browser-store.ts';
import { askForPicture, type FirstConnection } from './first-picture.ts';
import { restoreView } from './remember.ts';
import { type State, useStore } from './store.ts';

/** Waits between tries to reach the host, in milliseconds; the last one repeats. */
const RETRY_MS = [250, 500, 1_000, 2_000, 5_000];

let client: Client | null = null;
let retryNow: (() => void) | null = null;
/** Whether the user asked for a try while an earlier one was still under way. */
let isTryDue = false;
/** Changes whenever a notebook is read, so that pages of an earlier read are dropped. */
let reading = 0;
/** Cells of the open study that events have updated while its pages were loading: the events are newer. */
let toldMeanwhile = new Set<number>();
/** The cells from the first snapshot, so that opening their study needs no further answer. */
let brought: Snapshot['first'] = null;

/** The client of the present connection. Throws if there is none. */
export function getClient(): Client {
  if (!client) throw new Error('Pawl cannot be reached at the moment.');
  return client;
}

/** Ends the wait before the next try, also one that is still to come. */
export function reconnect(): void {
  if (retryNow) retryNow();
  else isTryDue = true;
}

/**
 * Keeps the store in sync with the host, without end: a snapshot, then events in order; after a gap or a lost
 * connection it starts over. Begins with the `first` connection, if there is one. Calls `onFirstPicture` once, and
 * `onNotice` with each notice for the user.
 */
export async function keepInStep(
  host: Host,
  onFirstPicture: () => void,
  onNotice: (notice: Notice) => void,
  first: Promise<FirstConnection> | null = null,
): Promise<never> {
  let coming: Promise<Connection & Partial<FirstConnection>> | null = first;
  for (let failures = 0; ; failures += 1) {
    isTryDue = false;
    const connecting = coming ?? host.connect();
    coming = null;
    try {
      const connection = await connecting;
      client = connection.client;
      await Promise.race([connection.closed, follow(connection, onFirstPicture, onNotice)]);
    } catch (error) {
      if (error instanceof ConnectionError && error.kind === 'refused') {
        client = null;
        useStore.setState({ connection: { kind: 'refused' } });
        await waitForRetry(null);
        continue;
      }
      // Whatever failed, the remedy is the same: reconnect and read everything again.
    }
    client = null;
    if (useStore.getState().connection.kind === 'online') failures = 0;
    const wait = RETRY_MS[clamp(failures, 0, RETRY_MS.length - 1)] ?? 0;
    const { connection } = useStore.getState();
    const since = connection.kind === 'offline' ? connection.since : Date.now();
    useStore.setState({ connection: { kind: 'offline', since, retryAt: Date.now() + wait } });
    await waitForRetry(wait);
  }
}

/** Ends early when the machine wakes up or the user asks. */
function waitForRetry(milliseconds: number | null): Promise<void> {
  if (isTryDue) return Promise.resolve();
  return new Promise(resolve => {
    const timer = milliseconds === null ? undefined : setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      retryNow = null;
      resolve();
    }
    window.addEventListener('online', done);
    retryNow = done;
  });
}

async function follow(
  { client: calls, picture: first }: Connection & Partial<FirstConnection>,
  onFirstPicture: () => void,
  onNotice: (notice: Notice) => void,
): Promise<void> {
  for (let asked = first; ; asked = undefined) {
    const last = useStore.getState().hasSnapshot ? null : lastStudy();
    const [info, { epoch, seq, live, first: cells, ...picture }] = await (asked ??
      askForPicture(calls, last));
    const state = useStore.getState();
    // Points that arrived between two snapshots are read from the ledger.
    const known = live && state.live.find(({ n, k }) => n === live.n && k === live.k);
    const folds = state.hasSnapshot ? (known?.folds ?? 0) + 1 : 0;
    const isThere = picture.studies.some(card => card.id === state.study);
    useStore.setState({
      ...picture,
      host: info,
      hasSnapshot: true,
      connection: { kind: 'online' },
      live: live ? [{ ...live, folds }] : [],
      ...(isThere ? {} : { study: null, notebook: null }),
    });
    if (!state.hasSnapshot) {
      brought = cells;
      onFirstPicture();
      brought = null;
    } else if (isThere && state.study) void readNotebook(state.study);
    let next = seq + 1;
    for await (const batch of await calls.app.events({ epoch, after: seq })) {
      if (batch.from !== next) break;
      next += batch.events.length;
      applyBatch(batch, onNotice);
    }
    // The events ended or have a gap: something was missed, so everything is read again.
  }
}

function applyBatch(batch: EventBatch, onNotice: (notice: Notice) => void): void {
  useStore.setState(before => {
    let state: State = before;
    for (const event of batch.events) {
      const isOpen = 'study' in event && event.study === state.notebook?.study;
      if (isOpen && event.type === 'cell') toldMeanwhile.add(event.cell.n);
      if (isOpen && event.type === 'cell_removed') toldMeanwhile.add(event.n);
      state = Object.assign({}, state, applyEvent(state, event));
    }
    return state;
  });
  for (const event of batch.events) if (event.type === 'notice') onNotice(event.notice);
}

/** Opens a study and reads its cells page by page, newest first. Cells that are already shown stay meanwhile. */
export async function readNotebook(study: string): Promise<void> {
  reading += 1;
  const own = reading;
  toldMeanwhile = new Set();
  const shown = useStore.getState().study;
  if (useStore.getState().notebook?.study !== study) {
    const view = restoreView(study);
    useStore.setState({
      study,
      // A search ends when another study is opened; a reload of the window keeps it.
      view: shown === null ? view : { ...view, filter: { ...view.filter, text: '' } },
      found: null,
      hovered: null,
      notebook: { study, cells: [], marks: [], refusals: [], status: 'loading', problem: null },
    });
  }
  try {
    const calls = getClient();
    const journal = calls.studies.marks({ study });
    let before: number | null = null;
    let given = brought?.study === study ? brought.cells : null;
    for (;;) {
      const limit = before === null ? FIRST_CELLS : CELL_PAGE;
      const page: readonly Cell[] = given ?? (await calls.studies.cells({ study, before, limit }));
      given = null;
      if (own !== reading) return;
      const last = page.at(-1);
      useStore.setState(state => {
        if (!state.notebook) return {};
        const cells = [...state.notebook.cells];
        const top = page[0];
        if (top) while (cells.length <= top.n) cells.push(undefined);
        for (const cell of page) if (!toldMeanwhile.has(cell.n)) cells[cell.n] = cell;
        return { notebook: { ...state.notebook, cells } };
      });
      if (!last || last.n === 0 || page.length < limit) break;
      before = last.n;
    }
    const { marks, refusals } = await journal;
    if (own !== reading) return;
    useStore.setState(({ notebook }) =>
      notebook
        ? {
            notebook: {
              ...notebook,
              // Events may have brought more since the host answered.
              marks: notebook.marks.reduce(withMark, marks),
              refusals: notebook.refusals.reduce(withRefusal, refusals),
              ...{ status: 'ready', problem: null },
            },
          }
        : {},
    );
  } catch (error) {
    if (own !== reading || !client) return;
    useStore.setState(state =>
      state.notebook
        ? { notebook: { ...state.notebook, status: 'failed', problem: (error as Error).message } }
        : {},
    );
  }
}
