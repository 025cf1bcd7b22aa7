import { readFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { dataPaths, runLog } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import type { SittingSettings } from '../../src/engine/session/start/sitting-settings.ts';
import type { EngineEvent } from '../../src/shared/events.ts';
import type { ModelCall } from '../../src/shared/proposers/model-calls.ts';
import type { ProposerSettings } from '../../src/shared/proposers/proposers.ts';
import type { StopReason } from '../../src/shared/study.ts';
import { KEY } from './model-night.ts';
import { modelServer } from './model-of-test.ts';
import type { ModelServer, Reply, Script } from './model-server.ts';
import { contractFile } from './scaffold.ts';
import { type Night, prepareNight, TAG } from './study.ts';

/** Put before every script: `ask(text, **more)` returns the status, the answer and the headers. */
const ASK = `import json, os, sys, time, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(text="How much?", headers={}, path="/v1/messages", **more):
    body = {"model": os.environ["PAWL_MODEL"], "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}
    sent = {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"], **headers}
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + path, json.dumps(body).encode(), sent)
    try:
        with opener.open(request) as response:
            return response.status, json.load(response), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), dict(error.headers)
def text_of(answer):
    return "".join(block["text"] for block in answer["content"])
`;

/** A study whose trainings are Python scripts that call the loopback server's model. */
export type AskingNight = Night & {
  readonly engine: Engine;
  readonly server: ModelServer;
  readonly events: readonly EngineEvent[];
  readonly studyId: string;
  run(settings?: SittingSettings): Promise<StopReason>;
  /** The output of a run. */
  log(n: number, k?: number): Promise<string>;
  calls(n: number): readonly ModelCall[];
};

/** @param script behind {@link ASK}; \`sys.argv[1]\` is a constant that the search turns */
export async function askingNight(
  script: string,
  reply: Script,
  options: {
    readonly experiments?: number;
    readonly environment?: Readonly<Record<string, string | undefined>>;
    /** Lines for the first table of pawl.toml. */
    readonly contract?: string;
    /** More tables. */
    readonly tables?: string;
    readonly model?: string;
    readonly capUsd?: number;
    readonly proposer?: ProposerSettings;
    readonly askAgainMs?: number;
    readonly train?: string;
    readonly files?: Readonly<Record<string, string>>;
    readonly limitSeconds?: number;
  } = {},
): Promise<AskingNight> {
  const { experiments = 0, model = 'claude-haiku-5-5', limitSeconds } = options;
  const server = await modelServer(reply);
  const night = await prepareNight({
    trainer: options.train ?? 'LR=2\npython3 -B ask.py "$LR"\n',
    files: { 'ask.py': ASK + script, ...options.files },
    contract: `${contractFile({ more: options.contract ?? '', ...(limitSeconds === undefined ? {} : { limitSeconds }) })}
[model]
name = "${model}"
base_url = "${server.url}"
${options.tables ?? ''}`,
  });
  const environment = {
    ...process.env,
    PAWL_HOME: night.home,
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_BASE_URL: server.url,
    ...options.environment,
  };
  const events: EngineEvent[] = [];
  const paths = dataPaths(environment);
  const engine = await Engine.open(
    {
      ...{ paths, host: 'test', environment },
      ...(options.askAgainMs === undefined ? {} : { askAgainMs: options.askAgainMs }),
      callTimes: { silenceMs: 20_000, wait: async (_, signal) => signal.throwIfAborted() },
    },
    null,
  );
  onTestFinished(() => engine.close());
  const { id } = await engine.createStudy({
    repositoryPath: night.repository,
    tag: TAG,
    stop: { experiments },
    proposer: options.proposer ?? { kind: 'search', seed: 1 },
    capUsd: options.capUsd,
    agreesUncontained: true,
  });
  return {
    ...night,
    ...{ engine, server, events, studyId: id },
    async run(settings = {}) {
      const end = await engine.run(id, settings, event => void events.push(event));
      if (end.error) throw end.error;
      return end.reason;
    },
    log: (n, k = 0) => readFile(runLog(paths, id, n, k), 'utf8'),
    calls: n => engine.ledger.modelCalls.list(id, n),
  };
}

/** An answer that consists of text. */
export function says(
  text: string,
  usage: { readonly input: number; readonly output: number } = { input: 1_000, output: 100 },
): Reply {
  return { kind: 'message', blocks: [{ type: 'text', text }], usage };
}
