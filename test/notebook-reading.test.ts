import { expect, onTestFinished, test, vi } from 'vitest';
import { openStudy, setFilter } from '../src/renderer/app/actions.ts';
import { useStore } from '../src/renderer/app/store.ts';
import { keepInStep, readNotebook, reconnect } from '../src/renderer/app/sync.ts';
import type { Client, Host } from '../src/renderer/host/host.ts';
import { openDesk } from './support/service.ts';
import { tableDesk } from './support/table-desk.ts';
import { UPSTREAM } from './support/tables.ts';
import { until } from './support/until.ts';

// What listens for the network's return.
vi.stubGlobal('window', new EventTarget());

/** A call that waits for its turn. */
function gate<I, O>(call: (input: I) => Promise<O>) {
  const waiting: (() => void)[] = [];
  return {
    call: async (input: I): Promise<O> => {
      const answer = await call(input);
      await new Promise<void>(resolve => waiting.push(resolve));
      return answer;
    },
    /** Lets the oldest call that waits answer, as soon as one does. */
    async open(): Promise<void> {
      await until(() => waiting.length > 0);
      waiting.shift()?.();
    },
    isEmpty: () => waiting.length === 0,
  };
}

/** The same calls but for some: the router's client makes them up as they are asked for. */
function instead<T extends object>(calls: T, others: Readonly<Record<string, unknown>>): T {
  return new Proxy(calls, {
    get: (target, name) => others[String(name)] ?? Reflect.get(target, name),
  });
}

/** The real store in step with a real service of two imported studies; pages of cells and searches wait for their gate. */
async function openWindow() {
  const table = await tableDesk();
  await table.import('one.tsv', UPSTREAM);
  await table.import('two.tsv', UPSTREAM);
  const desk = await openDesk({ home: table.home });
  const { calls } = desk;
  const cells = gate(calls.studies.cells as (input: unknown) => Promise<unknown>);
  const search = gate(calls.studies.search as (input: unknown) => Promise<unknown>);
  const ended = new AbortController();
  const { promise: hasLeft, resolve: leave } = Promise.withResolvers<void>();
  onTestFinished(async () => {
    ended.abort();
    // Without a wait before its next try, whose timer would go off in another file of this worker.
    reconnect();
    await hasLeft;
    useStore.setState(useStore.getInitialState(), true);
  });
  const never = new Promise<never>(() => {});
  /** The window's end: what it asks after the test is not answered. */
  const unlessEnded = <T>(ask: () => T): T | Promise<never> => {
    if (!ended.signal.aborted) return ask();
    leave();
    return never;
  };
  const snapshot = (input: Parameters<typeof calls.app.snapshot>[0]) =>
    unlessEnded(() => calls.app.snapshot(input));
  const events = (input: Parameters<typeof calls.app.events>[0]) =>
    calls.app.events(input, { signal: ended.signal });
  const client = instead(calls, {
    app: instead(calls.app, { events, snapshot }),
    studies: instead(calls.studies, { cells: cells.call, search: search.call }),
  }) as unknown as Client;
  const host = {
    connect: async () => unlessEnded(() => ({ client, closed: never })),
  } as unknown as Host;
  await new Promise<void>(resolve => {
    void keepInStep(host, resolve, () => {}).catch(() => {});
  });
  const [one, two] = ['one', 'two'].map(
    tag => useStore.getState().studies.find(card => card.tag === tag)?.id ?? '',
  );
  /** Until the store has what was published up to now. */
  const inStep = async () => {
    desk.service.hub.publish({ type: 'settings', settings: { ...desk.service.settings(), order: 'oldest' } });
    await until(() => useStore.getState().settings.order === 'oldest');
    useStore.setState(({ settings }) => ({ settings: { ...settings, order: 'newest' } }));
  };
  return { desk, calls, cells, search, inStep, one: one ?? '', two: two ?? '' };
}

const shown = () => (useStore.getState().notebook?.cells ?? []).map(cell => cell?.n ?? null);

test('an event of another study leaves no hole in the one that is being read', async () => {
  const { desk, cells, inStep, one, two } = await openWindow();
  const reading = readNotebook(one);
  await until(() => !cells.isEmpty());
  desk.service.announcer.announceCell(two, 2);
  desk.service.hub.publish({ type: 'cell_removed', study: two, n: 3 });
  await inStep();
  await cells.open();
  await reading;
  expect(shown()).toEqual([0, 1, 2, 3]);
});

test('what an event says of the study that is being read is newer than the page, and stays', async () => {
  const { desk, cells, inStep, one } = await openWindow();
  const reading = readNotebook(one);
  await until(() => !cells.isEmpty());
  await desk.calls.experiments.setTags({ study: one, n: 2, tags: ['new'] });
  desk.service.hub.publish({ type: 'cell_removed', study: one, n: 3 });
  const mark = { id: 99, at: 5, n: 2, kind: 'steered', text: 'Look here.', host: null } as const;
  desk.service.announcer.announceMark(one, mark);
  const refusal = { n: 4, at: 6, reason: 'no_change', message: 'Nothing changed.', hypothesis: null };
  desk.service.hub.publish({ type: 'refused', study: one, refusal });
  await inStep();
  await cells.open();
  await reading;
  expect(shown()).toEqual([0, 1, 2, null]);
  const { notebook } = useStore.getState();
  expect(notebook?.cells[2]?.tags).toEqual(['new']);
  expect(notebook?.marks).toEqual([mark]);
  expect(notebook?.refusals).toEqual([refusal]);
});

test('what a search of one study found filters no other', async () => {
  const { cells, search, one, two } = await openWindow();
  openStudy(one);
  await cells.open();
  setFilter({ text: 'baseline' });
  await until(() => !search.isEmpty());
  openStudy(two);
  useStore.setState(({ view }) => ({ view: { ...view, filter: { ...view.filter, text: 'baseline' } } }));
  await search.open();
  await new Promise(resolve => setImmediate(resolve));
  expect(useStore.getState().found).toBeNull();
});

test('a search ends when another study is looked at, and is not there on coming back', async () => {
  const { cells, one, two } = await openWindow();
  const text = () => useStore.getState().view.filter.text;
  openStudy(one);
  await cells.open();
  setFilter({ text: 'baseline' });
  openStudy(two);
  expect(text()).toBe('');
  openStudy(one);
  expect(text()).toBe('');
});
