import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventsOf, sitting } from './pawl.ts';
import { createRepository, snapshotUserState, temporaryFolder } from './scaffold.ts';
import { query } from './trainers.ts';

/** Each experiment adds a line to `idea.sh`, which the training runs. */
export async function guardedNight(
  contract: string,
  ideas: readonly string[],
  options: {
    readonly files?: Readonly<Record<string, string>>;
    readonly train?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
) {
  const { files = {}, train = 'sh idea.sh', env = {} } = options;
  const repository = await createRepository({
    'idea.sh': `${ideas[0]}\n`,
    'pawl.toml': `[contract]\neditable = ["idea.sh"]\ntrain = "${train}"\n[budget]\nseconds = 5\nlimit_seconds = 20\n${contract}`,
    ...files,
  });
  const home = await temporaryFolder();
  const proposer = ideas
    .slice(1)
    .map((idea, index) => `${index + 1}) cat > idea.sh <<'END'\n${idea}\nEND\n;;`)
    .join('\n');
  const state = await snapshotUserState(repository);
  const result = await sitting(
    [
      ...['run', repository, '--tag', 'night', '-n', String(ideas.length - 1)],
      '--command',
      `n=$(python3 -c "import json,sys;print(json.load(sys.stdin)['experiment'])")\ncase $n in\n${proposer}\nesac\nprintf '{"hypothesis":"idea %s"}\\n' $n`,
    ],
    { home, env },
  );
  expect(await snapshotUserState(repository)).toEqual(state);
  const verdicts = eventsOf(result.events, 'verdict');
  return {
    ...{ home, repository, code: result.code, stderr: result.stderr },
    verdicts: verdicts.map(({ verdict, reason }) => `${verdict} ${reason}`),
    metrics: verdicts.map(({ metric }) => metric),
    messages: verdicts.map(({ message }) => message),
    log: async (n: number) =>
      readFile(
        join(
          home,
          'studies',
          query<{ id: string }>(home, 'SELECT id FROM study')[0]?.id ?? '',
          'runs',
          String(n),
          'output.log',
        ),
        'utf8',
      ),
    evidence: (n: number) =>
      JSON.parse(
        query<{ evidence: string }>(home, `SELECT evidence FROM experiment WHERE n = ${n}`)[0]?.evidence ??
          'null',
      ),
  };
}
