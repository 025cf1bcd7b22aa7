import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { requireProgram } from '../../src/engine/proposers/agent/programs.ts';
import { tryAgent } from '../../src/engine/proposers/agent/try-agent.ts';
import type { RealName } from '../support/agent-recordings.ts';
import { found, ORDINARY } from '../support/contained.ts';
import { PAWL_MAIN } from '../support/pawl-command.ts';
import { contractFile, createRepository, writeFiles } from '../support/scaffold.ts';
import { query } from '../support/trainers.ts';
import { BRIDGES, type Installed, type Layout, lastingFolder, layOut, TRIED } from './place.ts';
import { REAL_PROGRAMS } from './programs.ts';
import { proposing } from './servers/mind.ts';

/** Pawl's own loop with each real program, against a model of this machine. */

const run = promisify(execFile);

const AS_USER = ['setpriv', `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, '--clear-groups'];

/** Ends at once; what it prints is best where all are 8. Two edits of it can be merged. */
const TRAINER = `# The step size.
LR=2
# Nothing here.
# Nothing here either.
# How many layers.
DEPTH=4
# Nothing here.
# How wide.
WIDTH=6
value=$((1000 + 100 * (8 - LR) + 10 * (8 - DEPTH) + 8 - WIDTH))
echo "val_bpb: $value"
`;

const IDEAS = [
  { old: 'LR=2', new: 'LR=8', hypothesis: 'LR becomes 8' },
  { old: 'DEPTH=4', new: 'DEPTH=8', hypothesis: 'DEPTH becomes 8' },
  { old: 'WIDTH=6', new: 'WIDTH=8', hypothesis: 'WIDTH becomes 8' },
];

/** Those that speak the Agent Client Protocol themselves, without a bridge. */
const SPEAKERS: readonly RealName[] = ['gemini', 'opencode'];

type Case = {
  readonly who: 'root' | 'user';
  readonly sandbox: 'required' | 'off';
  readonly layout: Layout;
  /** `used`: the program was there before, by hand. */
  readonly home: 'fresh' | 'used';
};

/** Each value with each program, and the pairs that have failed before; the full product would take half an hour. */
const CASES: readonly Case[] = [
  { who: 'root', sandbox: 'required', layout: 'native', home: 'fresh' },
  { who: 'user', sandbox: 'required', layout: 'npm-global', home: 'used' },
  { who: 'root', sandbox: 'off', layout: 'npm-local', home: 'used' },
  { who: 'user', sandbox: 'off', layout: 'native', home: 'fresh' },
];

type Call = {
  readonly n: number;
  readonly outcome: string;
  readonly message: string | null;
  readonly seconds: number;
  readonly input_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_usd: number | null;
};

const figures: string[] = [];

/** They are installed by npm alone, and are not for use by hand. */
const BRIDGE_CASES: readonly Case[] = [
  { who: 'root', sandbox: 'required', layout: 'npm-local', home: 'fresh' },
  { who: 'user', sandbox: 'required', layout: 'npm-global', home: 'fresh' },
  { who: 'root', sandbox: 'off', layout: 'npm-global', home: 'fresh' },
  { who: 'user', sandbox: 'off', layout: 'npm-local', home: 'fresh' },
];

describe.each([...TRIED, ...BRIDGES])('%s', agent => {
  const title = 'two experiments in a row ($who, sandbox $sandbox, $layout, home $home)';
  const cases = isBridge(agent) ? BRIDGE_CASES : CASES;
  const [contained, free] = [cases.filter(isContained), cases.filter(own => !isContained(own))];
  // Where there is nothing to contain with, nothing can be contained.
  test.skipIf(found.kind === 'none').each(contained)(title, own => tryLoop(agent, own));
  test.each(free)(title, own => tryLoop(agent, own));
  if (agent === 'codex-acp') test('a key in a variable is not written to the user’s folder', tryKeyAlone);
  const acp = { who: 'root', layout: 'npm-global', home: 'fresh' } as const;
  if (isBridge(agent) || !SPEAKERS.includes(agent)) return;
  test.skipIf(found.kind === 'none')('three experiments over the Agent Client Protocol, contained', () =>
    tryLoop(agent, { ...acp, sandbox: 'required' }, `${agent}-acp`, IDEAS),
  );
  test('three experiments over the Agent Client Protocol, not contained', () =>
    tryLoop(agent, { ...acp, sandbox: 'off' }, `${agent}-acp`, IDEAS));
});

function isBridge(agent: Installed): agent is (typeof BRIDGES)[number] {
  return BRIDGES.some(name => name === agent);
}

function isContained({ sandbox }: Case): boolean {
  return sandbox === 'required';
}

async function tryLoop(
  agent: Installed,
  own: Case,
  name: string = agent,
  ideas = IDEAS.slice(0, 2),
): Promise<void> {
  await using server = await served(agent, ideas);
  const base = await lastingFolder();
  const [home, data, files, temporary] = ['home', 'data', 'files', 'tmp'].map(name => join(base, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [home, data, files, temporary]) await mkdir(folder);
  const adapter = requireProgram(agent, { agents: {} });
  await writeFiles(files, adapter.files);
  const setUp = REAL_PROGRAMS[agent].setUp(server.url, isContained(own));
  await writeFiles(home, setUp.files);
  const bin = await layOut(agent, own.layout, home);
  const repository = await createRepository(
    { 'train.sh': TRAINER, 'prepare.sh': 'echo fixed\n', 'pawl.toml': contractFile({ limitSeconds: 60 }) },
    join(base, 'repository'),
  );
  const isUser = own.who === 'user' && process.getuid?.() === 0;
  if (isUser) {
    // What is installed by hard links stays whose it is.
    const mine = ['-not', '-path', '*/node_modules*', '-not', '-path', '*/versions/*'];
    await run('find', [base, ...mine, '-exec', 'chown', '-h', `${ORDINARY}:${ORDINARY}`, '{}', '+']);
  }
  const as = isUser ? AS_USER : [];
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home, TMPDIR: temporary, ...setUp.environment };
  const start = (command: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const [program = '', ...args] = [...as, ...command];
    const started = run(program, args, { env: { ...env, ...more }, cwd: dirname(repository) });
    // A study that waits for its user would wait behind a test that was given up, too.
    onTestFinished(() => void started.child.kill());
    started.child.stdin?.end('Say hello.');
    return started.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      error => ({ code: error.code as number, stdout: String(error.stdout), stderr: String(error.stderr) }),
    );
  };
  if (own.home === 'used') {
    const asked = { model: null, own: files, isContained: false, prompt: '', environment: env };
    const words = [adapter.program, ...adapter.how.argv(asked)];
    const used = await start(words, adapter.environment(asked));
    expect(used, used.stderr).toMatchObject({ code: 0 });
  }
  const args = ['--tag', 'night', '-n', String(ideas.length), '--agent', name, '--fallback', 'none'];
  const more = ['--proposer-timeout', '120', '--uncontained', '--json'];
  const seen = await start([process.execPath, PAWL_MAIN, 'run', repository, ...args, ...more], {
    ...{ PAWL_HOME: data, PAWL_SANDBOX: own.sandbox },
  });
  const calls = query<Call>(data, 'SELECT * FROM model_call ORDER BY id');
  const verdicts = query<{ n: number; hypothesis: string; verdict: string }>(
    data,
    'SELECT n, hypothesis, verdict FROM experiment WHERE n > 0 ORDER BY n',
  );
  const told = `${seen.stderr}\n${JSON.stringify(calls)}`;
  // What is asked for ahead may come before its turn.
  const kept = verdicts.map(({ hypothesis, verdict }) => [hypothesis, verdict]).sort();
  expect(kept, told).toEqual(ideas.map(({ hypothesis }) => [hypothesis, 'keep']).sort());
  expect(
    calls.map(({ outcome }) => outcome),
    told,
  ).toEqual(calls.map(() => 'ok'));
  const [first] = calls;
  figures.push(
    [
      ...[name, own.who, own.sandbox, own.layout, own.home, `${first?.seconds.toFixed(1)} s`],
      ...[first?.input_tokens, first?.cache_read_tokens, first?.output_tokens, first?.cost_usd],
    ].join(' | '),
  );
}

/** It takes a key only by writing it down, which Pawl has it do in the sandbox alone, where its folder is a copy. */
async function tryKeyAlone(): Promise<void> {
  await using server = await served('codex', IDEAS);
  const base = await lastingFolder();
  const [home, scratch] = [join(base, 'home'), join(base, 'scratch')];
  for (const folder of [home, scratch]) await mkdir(folder);
  const setUp = REAL_PROGRAMS.codex.setUp(server.url, false);
  await writeFiles(home, setUp.files);
  const bin = await layOut('codex-acp', 'npm-global', home);
  const environment = { PATH: `${bin}:${process.env.PATH}`, HOME: home, ...setUp.environment };
  const tried = await tryAgent(
    { agent: 'codex-acp', model: null },
    {
      ...{ environment: { ...environment, PAWL_SANDBOX: 'off' }, home: base, scratch },
      mayBeUncontained: true,
    },
    new AbortController().signal,
  );
  expect(tried).toMatchObject({
    isGood: false,
    message: expect.stringMatching(/not signed in.*"codex login"/s),
  });
  expect(existsSync(join(home, '.codex/auth.json'))).toBe(false);
}

async function served(agent: Installed, ideas: typeof IDEAS) {
  const { close, ...server } = await REAL_PROGRAMS[agent].serve(proposing('train.sh', ideas));
  return { ...server, [Symbol.asyncDispose]: close };
}

afterAll(() => {
  if (figures.length === 0) return;
  const head = 'agent | who | sandbox | layout | home | first proposal | input | cached | output | US$';
  console.log([head, ...figures].map(line => `| ${line} |`).join('\n'));
});
