import { EventEmitter } from 'node:events';
import { lstat, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AnyMessage,
  client,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  RequestError,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import { VERSION } from '../../../shared/version.ts';
import { runProcess, type Streams } from '../../process/run-process.ts';
import type { ProposerContext } from '../proposer.ts';
import { isVain } from './failure.ts';
import type { Answered, Launch } from './launch.ts';
import {
  type Acp,
  type AgentOutput,
  type AgentProgram,
  asJson,
  asList,
  asNumber,
  asText,
  type Json,
  NO_OUTPUT,
  NO_USAGE,
  type Sign,
  statusIn,
} from './program.ts';
import { readApiRetry } from './programs/claude.ts';

/** Updates may arrive after the answer; after this long without one, none will. */
const QUIET_MS = 150;
const THOUGHT_CHARACTERS = 2_000;

/** The protocol's error with which an agent asks for a sign-in. */
const AUTH_REQUIRED = -32_000;

/** The HTTP status that corresponds to each kind of failure in the bridges. */
const STATUS_OF: Readonly<Record<string, number>> = {
  ...{ authentication_failed: 401, access: 401, billing_error: 402, model_not_found: 404 },
  ...{ rate_limit: 429, limit: 429, server_error: 500, service: 500, overloaded: 529 },
};

/** Everything received so far. */
type Heard = {
  /** Text since the last tool call; earlier text is not the answer. */
  text: string;
  thought: string;
  costUsd: number | null;
  sign: Sign | null;
  /** The latest details of each tool call: some agents ask for permission with fewer details than they sent before. */
  readonly tools: Map<string, Json>;
  at: number;
};

/**
 * Asks an agent over the Agent Client Protocol (version 1) for one proposal: a new session, one prompt, one answer.
 * It may edit the editable files and read its folder; everything else is refused.
 */
export async function askAcp(
  program: AgentProgram,
  how: Acp,
  launch: Launch,
  context: Pick<ProposerContext, 'marker' | 'signal'>,
): Promise<Answered> {
  let output: AgentOutput = NO_OUTPUT;
  const trouble = new EventEmitter<{ sign: [Sign] }>();
  const heard: Heard = {
    text: '',
    thought: '',
    costUsd: null,
    sign: null,
    tools: new Map(),
    at: performance.now(),
  };
  const result = await runProcess(
    {
      ...launch.process,
      argv: [...launch.behind, program.program, ...how.argv(launch.asked)] as [string, ...string[]],
      input: async streams => {
        output = await converse(program, how, launch, streams, { signal: context.signal, trouble, heard });
      },
      onLine: line => {
        const sign = how.watch(line);
        if (sign) trouble.emit('sign', sign);
        return false;
      },
    },
    context,
  );
  // On a timeout, the agent's last report is the reason, since Pawl closed the connection.
  const isLate = result.kind === 'failed' && result.why === 'timeout';
  return { result, output: !isLate ? output : heard.sign ? gaveUp(heard) : NO_OUTPUT };
}

type Surroundings = {
  readonly signal: AbortSignal;
  readonly trouble: EventEmitter<{ sign: [Sign] }>;
  readonly heard: Heard;
};

async function converse(
  program: AgentProgram,
  how: Acp,
  launch: Launch,
  { stdin, stdout }: Streams,
  { signal, trouble, heard }: Surroundings,
): Promise<AgentOutput> {
  const cwd = await realpath(launch.process.cwd);
  const giveUp = new AbortController();
  const notice = (sign: Sign | null) => {
    if (!sign || giveUp.signal.aborted) return;
    heard.sign = sign;
    launch.onThought(`${program.title} ${sign.says}`);
    if (isVain(program, sign)) giveUp.abort();
  };
  trouble.on('sign', notice);
  const app = client({ name: 'pawl' })
    .onRequest(methods.client.session.requestPermission, ({ params }) =>
      decide(
        { ...params, toolCall: { ...heard.tools.get(params.toolCall.toolCallId), ...told(params.toolCall) } },
        cwd,
        launch.isEditable,
      ),
    )
    // Some agents write to the disk themselves and report it with a request that Pawl never offered to answer.
    .onRequest('*', ({ method }) => {
      throw RequestError.methodNotFound(method);
    });
  // Web streams are declared twice, by Node and by the browser's library.
  const output = Readable.toWeb(stdout) as unknown as Parameters<typeof ndJsonStream>[1];
  const stream = ndJsonStream(Writable.toWeb(stdin), output);
  // Notifications are read here, in order, because the library checks them against its own version's kinds and
  // complains.
  const answers = new TransformStream<AnyMessage, AnyMessage>({
    transform: (message, passed) => {
      const { method, id, params } = asJson(message);
      if (method === undefined || id !== undefined) return passed.enqueue(message);
      heard.at = performance.now();
      if (method === 'session/update') hear(heard, asJson(asJson(params).update), launch.onThought, notice);
      else notice(readRetry(asJson(params)));
    },
  });
  const connection = app.connect({ ...stream, readable: stream.readable.pipeThrough(answers) });
  let session: string | null = null;
  const cancel = () => {
    if (session === null) return;
    // If the connection is closed already, the cancellation has no recipient.
    connection.agent.notify(methods.agent.session.cancel, { sessionId: session }).catch(() => {});
  };
  signal.addEventListener('abort', cancel);
  giveUp.signal.addEventListener('abort', cancel);
  try {
    const ask = <T>(answer: Promise<T>): Promise<T> => Promise.race([answer, whenAborted(giveUp.signal)]);
    const { agent } = connection;
    await ask(
      agent.request(methods.agent.initialize, {
        protocolVersion: PROTOCOL_VERSION,
        clientInfo: { name: 'pawl', version: VERSION },
        clientCapabilities: {
          fs: { readTextFile: false, writeTextFile: false },
          terminal: false,
          // Without it, some agents mix warnings into their text.
          ...({ session: { notices: {} } } as object),
          ...(how.clientMeta === null ? {} : { _meta: how.clientMeta }),
        },
      }),
    );
    const methodId = how.signsInBy(launch.asked);
    if (methodId !== null) await ask(agent.request(methods.agent.authenticate, { methodId }));
    const opened = await ask(
      agent.request(methods.agent.session.new, {
        ...{ cwd, mcpServers: [] },
        ...(how.meta === null ? {} : { _meta: how.meta }),
      }),
    );
    const { sessionId } = opened;
    session = sessionId;
    const modeId = how.mode(launch.asked);
    if (modeId !== null) {
      await ask(agent.request(methods.agent.session.setMode, { sessionId, modeId }));
    }
    const { model } = launch.asked;
    if (model !== null && how.model === 'option') {
      const option = { sessionId, configId: 'model', value: model };
      await ask(agent.request(methods.agent.session.setConfigOption, option));
    }
    if (model !== null && how.model === 'set_model') {
      await ask(agent.request('session/set_model', { sessionId, modelId: model }));
    }
    const prompt = [{ type: 'text' as const, text: launch.prompt }];
    const answer: Json = await ask(
      agent.request(methods.agent.session.prompt, { sessionId, prompt }) as Promise<unknown>,
    ).then(asJson);
    await untilQuiet(heard);
    return readAnswer(how, answer, heard);
  } catch (error) {
    return giveUp.signal.aborted ? gaveUp(heard) : readRejection(error, heard);
  } finally {
    signal.removeEventListener('abort', cancel);
    trouble.off('sign', notice);
    connection.close();
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('given up')));
  });
}

async function untilQuiet(heard: Heard): Promise<void> {
  for (;;) {
    const left = heard.at + QUIET_MS - performance.now();
    if (left <= 0) return;
    await delay(left);
  }
}

/** Every version adds kinds of updates; unknown ones are ignored. */
function hear(
  heard: Heard,
  update: Json,
  onThought: (text: string) => void,
  notice: (sign: Sign | null) => void,
): void {
  switch (update.sessionUpdate) {
    case 'agent_message_chunk':
      heard.text += asText(asJson(update.content).text);
      return;
    case 'agent_thought_chunk':
      heard.thought = (heard.thought + asText(asJson(update.content).text)).slice(-THOUGHT_CHARACTERS);
      onThought(heard.thought);
      return;
    case 'tool_call':
    case 'tool_call_update': {
      heard.text = '';
      heard.thought = '';
      const id = asText(update.toolCallId);
      heard.tools.set(id, { ...heard.tools.get(id), ...told(update) });
      const paths = asList(update.locations).map(place => asText(asJson(place).path).split('/').at(-1));
      const what = [asText(update.title) || asText(update.kind), ...paths].filter(Boolean).join(' ');
      if (what !== '') onThought(what);
      return;
    }
    case 'usage_update': {
      const cost = asJson(update.cost);
      if (cost.currency === undefined || cost.currency === 'USD') {
        heard.costUsd = asNumber(cost.amount) ?? heard.costUsd;
      }
      return;
    }
    default:
      notice(readRetry(update));
  }
}

/** The update without its empty fields. */
function told<T extends object>(update: T): T {
  return Object.fromEntries(
    Object.entries(update).filter(([, value]) => value !== undefined && value !== null),
  ) as T;
}

/** A bridge's report of its own retries: Claude's raw messages, or the failures that both bridges put into `_meta`. */
function readRetry(told: Json): Sign | null {
  const retry = readApiRetry(asJson(told.message));
  if (retry) return retry;
  const failure = failureIn(told);
  if (failure?.severity !== 'warning') return null;
  const title = asText(failure.title);
  const attempt = Number(/(\d+)\s*(?:\/|of)\s*\d+/.exec(title)?.[1] ?? 1);
  const status = STATUS_OF[asText(failure.category)] ?? null;
  return {
    status,
    says: `says: ${title}`,
    isRepeated: attempt > 1,
    isEndless: /waiting for network/i.test(title),
  };
}

function failureIn(told: Json): Json | null {
  const failure = asJson(asJson(asJson(asJson(told._meta).jetbrains).air).sessionFailure);
  return failure.severity === undefined ? null : failure;
}

function readAnswer(how: Acp, answer: Json, heard: Heard): AgentOutput {
  const { stopReason } = answer;
  const failure = failureIn(answer);
  const error = failure
    ? [asText(failure.title), asText(failure.details)].filter(Boolean).join(' ')
    : ['refusal', 'max_tokens', 'max_turn_requests'].includes(asText(stopReason))
      ? `it ended with ${asText(stopReason).replaceAll('_', ' ')}. ${heard.text.slice(0, 300)}`
      : null;
  return {
    text: heard.text,
    error,
    status: failure ? (STATUS_OF[asText(failure.category)] ?? null) : null,
    isComplete: true,
    usage: how.countsTurn ? usageOf(answer) : NO_USAGE,
    costUsd: heard.costUsd,
  };
}

/** Tokens of the whole turn: the protocol's `usage`, where input excludes cached tokens; or Gemini's count. */
function usageOf(answer: Json): AgentOutput['usage'] {
  const usage = asJson(answer.usage);
  const input = asNumber(usage.inputTokens);
  if (input !== null) {
    return {
      input,
      cacheRead: asNumber(usage.cachedReadTokens),
      cacheWrite: asNumber(usage.cachedWriteTokens),
      output: asNumber(usage.outputTokens),
    };
  }
  const count = asJson(asJson(asJson(answer._meta).quota).token_count);
  return { ...NO_USAGE, input: asNumber(count.input_tokens), output: asNumber(count.output_tokens) };
}

function gaveUp({ sign }: Heard): AgentOutput {
  return {
    ...NO_OUTPUT,
    error: `it ${sign?.says ?? 'retried in vain'}`,
    status: sign?.status ?? null,
    isComplete: true,
  };
}

function readRejection(error: unknown, heard: Heard): AgentOutput {
  const {
    code,
    message = String(error),
    data,
  } = (error ?? {}) as { code?: unknown; message?: string; data?: unknown };
  const kind = asText(asJson(data).errorKind);
  const own = typeof code === 'number' && code >= 400 && code < 600 ? code : null;
  const status = code === AUTH_REQUIRED ? 401 : (own ?? STATUS_OF[kind] ?? statusIn(message, STATUS));
  const details = asText(asJson(data).details);
  return {
    ...NO_OUTPUT,
    text: heard.text,
    error: [message, details].filter(Boolean).join(': ') || 'it failed',
    status,
    isComplete: true,
  };
}

/** Some agents pass on a server's answer unchanged, as JSON. */
const STATUS = /"(?:code|status)"\s*:\s*(\d{3})\b/;

/** Answers by the contract: allows one edit of an editable file, or one look into the folder; nothing else. */
export async function decide(
  { toolCall, options }: Pick<RequestPermissionRequest, 'toolCall' | 'options'>,
  cwd: string,
  isEditable: (path: string) => boolean,
): Promise<RequestPermissionResponse> {
  const paths = await Promise.all((toolCall.locations ?? []).map(({ path }) => placeIn(cwd, path)));
  const isInside = paths.length > 0 && paths.every(path => path !== null);
  const isAllowed =
    (toolCall.kind === 'edit' && isInside && paths.every(path => path !== null && isEditable(path))) ||
    ((toolCall.kind === 'read' || toolCall.kind === 'search') && isInside);
  const option = options.find(({ kind }) => kind === (isAllowed ? 'allow_once' : 'reject_once'));
  if (!option) return { outcome: { outcome: 'cancelled' } };
  return { outcome: { outcome: 'selected', optionId: option.optionId } };
}

/** The path relative to the folder, '' for the folder itself; null if it is outside, or a link is on the way. */
async function placeIn(cwd: string, path: string): Promise<string | null> {
  const found = relative(cwd, resolve(cwd, path));
  if (found.startsWith('..') || isAbsolute(found)) return null;
  let place = cwd;
  for (const name of found.split('/').filter(Boolean)) {
    place = join(place, name);
    const there = await lstat(place).catch(() => null);
    if (there?.isSymbolicLink()) return null;
  }
  return found;
}
