import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dataPaths } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import type { EngineEvent } from '../../src/shared/events.ts';
import type { AgentName } from '../../src/shared/proposers/proposers.ts';
import { temporaryFolder } from './scaffold.ts';
import { prepareNight, TAG } from './study.ts';

export const ANSWER = JSON.stringify({
  hypothesis: 'LR becomes 8',
  rationale: 'It is low.',
  predicted_effect: -0.06,
  category: 'constant',
});
/** The folder in the home that each agent can write to. */
const STATE: Readonly<Record<string, string>> = {
  ...{ claude: '.claude', codex: '.codex', gemini: '.gemini', opencode: '.local/share/opencode' },
};
export const EDIT = "sed -i 's/^LR=2/LR=8/' train.sh\n";
export const say = (...lines: readonly unknown[]) =>
  lines.map(line => `cat <<'JSON'\n${JSON.stringify(line)}\nJSON\n`).join('');

export const claude = (result: string, more: object = {}) =>
  say(
    { type: 'system', subtype: 'init' },
    {
      ...{ type: 'result', subtype: 'success', is_error: false, result, total_cost_usd: 0.04 },
      modelUsage: {
        one: {
          inputTokens: 9,
          outputTokens: 400,
          cacheReadInputTokens: 8_000,
          cacheCreationInputTokens: 1_200,
        },
        two: { inputTokens: 1, outputTokens: 100, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
      },
      ...more,
    },
  );

/** A study with a stand-in for an agent: a shell script with the agent's name. */
export async function night(
  agent: AgentName,
  script: string,
  timeoutSeconds = 30,
  experiments = 1,
  env: Readonly<Record<string, string>> = {},
  repository?: string,
) {
  const own = await prepareNight(repository === undefined ? {} : { repository });
  const bin = await temporaryFolder();
  // A home in which a contained agent can write only to the agent's folder.
  const userHome = await temporaryFolder();
  const log = join(userHome, STATE[agent] ?? '', 'log');
  await mkdir(dirname(log), { recursive: true });
  await writeFile(
    join(bin, agent),
    `#!/bin/sh\ncat > ${log}.prompt\necho "$PWD" > ${log}.pwd\necho "$@" > ${log}.args\n${script}`,
  );
  await chmod(join(bin, agent), 0o755);
  const environment = {
    ...{ ...process.env, PAWL_HOME: own.home, HOME: userHome, PATH: `${bin}:${process.env.PATH}` },
    ...env,
  };
  const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
  const study = await engine.createStudy({
    repositoryPath: own.repository,
    tag: TAG,
    stop: { experiments },
    proposer: { kind: 'agent', agent, model: null, timeoutSeconds },
  });
  const events: EngineEvent[] = [];
  const untilEvent = (type: EngineEvent['type']) =>
    new Promise<EngineEvent>(resolve => {
      listeners.push(event => event.type === type && resolve(event));
    });
  const listeners: ((event: EngineEvent) => void)[] = [];
  const run = async () => {
    const end = await engine.run(study.id, {}, event => {
      events.push(event);
      for (const listen of listeners) listen(event);
    });
    if (end.error) throw end.error;
    return end.reason;
  };
  return {
    ...{ ...own, engine, study, run, events, untilEvent, bin, log, userHome },
    calls: () => engine.ledger.modelCalls.list(study.id, 1),
    [Symbol.asyncDispose]: async () => engine.close(),
  };
}
