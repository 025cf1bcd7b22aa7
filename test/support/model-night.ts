import { onTestFinished } from 'vitest';
import { dataPaths } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import type { EngineEvent } from '../../src/shared/events.ts';
import type { ModelSettings, RouteSettings } from '../../src/shared/proposers/proposers.ts';
import type { StopReason } from '../../src/shared/study.ts';
import { modelServer } from './model-of-test.ts';
import type { ModelServer, Reply, Request } from './model-server.ts';
import type { Block } from './model-stream.ts';
import { type Night, prepareNight, TAG } from './study.ts';

export const KEY = 'sk-ant-test-0123456789-never-to-be-written-down';

/** A study whose proposer is a model behind the loopback server. */
export type ModelNight = Night & {
  readonly engine: Engine;
  readonly server: ModelServer;
  readonly events: readonly EngineEvent[];
  /** Every delay between two tries, in milliseconds; none is actually waited for. */
  readonly waits: readonly number[];
  readonly studyId: string;
  run(): Promise<StopReason>;
  /** Runs until the pause; resolves to a promise that resolves when the sitting ends. */
  runToPause(): Promise<{ readonly ended: Promise<StopReason> }>;
  callsOf(n: number): ReturnType<Engine['ledger']['modelCalls']['list']>;
  /** Resolves once there were `count` events of a type. */
  untilCount(type: EngineEvent['type'], count: number): Promise<void>;
  until<T extends EngineEvent['type']>(type: T): Promise<Extract<EngineEvent, { type: T }>>;
};

/** @param reply the answer to each request, or to the first of them, with {@link BETTER} for the rest */
export async function modelNight(
  reply: readonly Reply[] | ((request: Request, index: number) => Reply | Promise<Reply>),
  options: {
    readonly experiments?: number;
    readonly settings?: Partial<ModelSettings>;
    readonly silenceMs?: number;
    readonly trainer?: string;
    /** Adds the search as the other arm. */
    readonly route?: RouteSettings['mode'];
    readonly now?: () => number;
    readonly askAgainMs?: number;
    /** Default false here: a test sees requests one after the other. */
    readonly isLookingAhead?: boolean;
    readonly environment?: Readonly<Record<string, string>>;
    readonly contract?: string;
  } = {},
): Promise<ModelNight> {
  const night = await prepareNight({
    ...(options.trainer === undefined ? {} : { trainer: options.trainer }),
    ...(options.contract === undefined ? {} : { contract: options.contract }),
  });
  const server = await modelServer(
    typeof reply === 'function' ? reply : (_, index) => reply[index] ?? BETTER,
  );
  const waits: number[] = [];
  const events: EngineEvent[] = [];
  const waiting: (() => void)[] = [];
  const environment = {
    ...process.env,
    PAWL_HOME: night.home,
    ANTHROPIC_API_KEY: KEY,
    ...options.environment,
  };
  const engine = await Engine.open(
    {
      paths: dataPaths(environment),
      host: 'test',
      environment,
      ...(options.now ? { now: options.now } : {}),
      isLookingAhead: options.isLookingAhead ?? false,
      ...(options.askAgainMs === undefined ? {} : { askAgainMs: options.askAgainMs }),
      callTimes: {
        silenceMs: options.silenceMs ?? 20_000,
        wait: async (milliseconds, signal) => {
          waits.push(milliseconds);
          signal.throwIfAborted();
        },
      },
    },
    null,
  );
  const model: ModelSettings = {
    kind: 'model',
    model: 'claude-opus-5-5',
    effort: null,
    baseUrl: server.url,
    key: 'environment',
    capUsd: { study: null, sitting: null },
    ...options.settings,
  };
  const study = await engine.createStudy({
    repositoryPath: night.repository,
    tag: TAG,
    stop: { experiments: options.experiments ?? 1 },
    proposer:
      options.route === undefined
        ? model
        : { kind: 'route', mode: options.route, arms: [model, { kind: 'search', seed: 1 }] },
  });
  onTestFinished(() => engine.close());
  const own: ModelNight = {
    ...night,
    ...{ engine, server, events, waits, studyId: study.id },
    callsOf: n => engine.ledger.modelCalls.list(study.id, n),
    async runToPause() {
      const ended = own.run();
      await own.until('study_paused');
      return { ended };
    },
    async run() {
      const end = await engine.run(study.id, {}, event => {
        events.push(event);
        for (const wake of waiting.splice(0)) wake();
      });
      if (end.error) throw end.error;
      return end.reason;
    },
    async untilCount(type, count) {
      while (events.filter(event => event.type === type).length < count) {
        await new Promise<void>(resolve => waiting.push(resolve));
      }
    },
    async until(type) {
      for (;;) {
        const found = events.find(event => event.type === type);
        if (found) return found as never;
        await new Promise<void>(resolve => waiting.push(resolve));
      }
    },
  };
  return own;
}

/** A tool call. */
export function use(name: string, input: unknown): Block {
  return { type: 'tool_use', name, input };
}

/** A proposal that sets a constant of the fast trainer. */
export function proposal(from: string, to: string, more: Readonly<Record<string, unknown>> = {}): Reply {
  return {
    kind: 'message',
    usage: { input: 1_000, cacheRead: 4_000, cacheWrite: 2_000, output: 500 },
    blocks: [
      { type: 'thinking', thinking: `What if ${from} were ${to}?` },
      use('submit_proposal', {
        hypothesis: `${from} becomes ${to}`,
        rationale: 'The number is far from where it should be.',
        category: 'constant',
        predicted_effect: -0.01,
        edits: [{ path: 'train.sh', old: from, new: to }],
        ...more,
      }),
    ],
  };
}

/** A proposal that is kept. */
export const BETTER = proposal('LR=2', 'LR=8');

/** An answer that is only this text. */
export const words = (text: string): Reply => ({ kind: 'message', blocks: [{ type: 'text', text }] });

type Content = {
  readonly type: string;
  readonly text?: string;
  readonly content?: unknown;
  readonly is_error?: boolean;
};
export type Body = {
  readonly model: string;
  readonly max_tokens: number;
  readonly system: readonly { readonly text: string; readonly cache_control?: unknown }[];
  readonly tools: readonly { readonly name: string }[];
  readonly messages: readonly { readonly role: string; readonly content: string | readonly Content[] }[];
};

export function bodyOf(request: Request | undefined): Body {
  if (!request) throw new Error('there was no such request');
  return request.body as Body;
}

/** All the text in the last message of a request. */
export function lastText(request: Request | undefined): string {
  const content = bodyOf(request).messages.at(-1)?.content ?? '';
  return typeof content === 'string' ? content : JSON.stringify(content);
}
