import { createRouterClient, type ORPCError, type RouterClient } from '@orpc/server';
import { onTestFinished } from 'vitest';
import { createRouter, type PawlRouter } from '../../src/engine/api/router.ts';
import { Service } from '../../src/engine/api/service.ts';
import { dataPaths } from '../../src/engine/paths.ts';
import type { NotebookEvent, StudyCard } from '../../src/shared/notebook.ts';
import { temporaryFolder } from './scaffold.ts';

export type Calls = RouterClient<PawlRouter>;

/** A service with its calls as functions, and everything it has reported to its windows. */
export type Desk = {
  readonly home: string;
  readonly service: Service;
  readonly router: PawlRouter;
  readonly calls: Calls;
  readonly events: readonly NotebookEvent[];
  /** Errors in work that nobody waited for; a test that expects some removes them. */
  readonly errors: unknown[];
  /** The first past or future event that `accepts` takes. */
  waitFor<E extends NotebookEvent>(accepts: (event: NotebookEvent) => event is E): Promise<E>;
  waitFor(accepts: (event: NotebookEvent) => boolean): Promise<NotebookEvent>;
  /** The first event from now on that `accepts` takes. */
  waitForNext(accepts: (event: NotebookEvent) => boolean): Promise<NotebookEvent>;
  close(): Promise<void>;
};

/** Opens a service that closes after the test; the test fails if the service had errors that nobody waited for. */
export async function openDesk(
  options: {
    readonly home?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly now?: () => number;
  } = {},
): Promise<Desk> {
  const home = options.home ?? (await temporaryFolder());
  const errors: unknown[] = [];
  const service = await Service.open({
    paths: dataPaths({ PAWL_HOME: home }),
    environment: { ...process.env, ...options.environment },
    host: {
      info: { host: 'browser', version: '0', canChooseFolder: false, hasNotifications: false },
      chooseFolder: null,
    },
    onError: error => errors.push(error),
    ...(options.now ? { now: options.now } : {}),
  });
  const events: NotebookEvent[] = [];
  let waiting: { accepts: (event: NotebookEvent) => boolean; resolve: (event: NotebookEvent) => void }[] = [];
  service.hub.subscribe(event => {
    events.push(event);
    for (const waiter of waiting.filter(({ accepts }) => accepts(event))) {
      waiting = waiting.filter(other => other !== waiter);
      waiter.resolve(event);
    }
  });
  const waitForNext = (accepts: (event: NotebookEvent) => boolean) =>
    new Promise<NotebookEvent>(resolve => waiting.push({ accepts, resolve }));
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= service.close();
    return closing;
  };
  onTestFinished(async () => {
    await close();
    if (errors.length > 0) throw errors[0];
  });
  const router = createRouter(service);
  return {
    ...{ home, service, router, events, errors, waitForNext, close },
    calls: createRouterClient(router),
    waitFor: async (accepts: (event: NotebookEvent) => boolean) => {
      const past = events.find(accepts);
      return (past ?? (await waitForNext(accepts))) as never;
    },
  };
}

/** The card of a study once it no longer runs. */
export async function untilStopped(desk: Desk, study: string): Promise<StudyCard> {
  if (desk.service.running()?.id === study) {
    await desk.waitForNext(
      event => event.type === 'study' && event.card.id === study && !desk.service.running(),
    );
  }
  return desk.service.card(study);
}

type StudyEvent = Extract<NotebookEvent, { type: 'study' }>;

export function isTraining(n: number) {
  return (event: NotebookEvent): event is StudyEvent =>
    event.type === 'study' && event.card.current?.n === n && event.card.current.run !== null;
}

export function eventsOfType<T extends NotebookEvent['type']>(
  events: readonly NotebookEvent[],
  type: T,
): readonly Extract<NotebookEvent, { type: T }>[] {
  return events.filter((event): event is Extract<NotebookEvent, { type: T }> => event.type === type);
}

/** The error of a refused call; throws if the call was not refused. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ readonly code: string | undefined; readonly message: string }> {
  try {
    await call;
  } catch (error) {
    const { data, message } = error as ORPCError<string, { code?: string } | undefined>;
    return { code: data?.code, message };
  }
  throw new Error('the call was not refused');
}

/** Everything that an iterator yields. */
export async function collect<T>(pieces: Promise<AsyncIterable<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const piece of await pieces) all.push(piece);
  return all;
}
