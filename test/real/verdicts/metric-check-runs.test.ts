import { once } from 'node:events';
import { readdir, watch } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { PreflightCheck } from '../../../src/shared/contract/set-up.ts';
import type { CheckLine } from '../../../src/shared/verdicts/describe-metric-check.ts';
import type { MetricCheckOutcome } from '../../../src/shared/verdicts/metric-check.ts';
import { type PawlOptions, pawl, startPawl } from '../../support/pawl.ts';
import { findRunsWith } from '../../support/processes.ts';
import { createRepository, git, snapshotUserState, temporaryFolder } from '../../support/scaffold.ts';

/** Constants and a number that follows from them: the same every time. */
const REPEATABLE = `LR=2
SEED=7
printf 'val_bpb: 1.%05d\\n' $((9993 + 10 * LR + SEED))
`;

async function prepare(trainer: string, contract = '', seconds = 5) {
  const [home, numbers] = [await temporaryFolder(), await temporaryFolder()];
  const repository = await createRepository({
    'train.sh': trainer,
    'pawl.toml': `[contract]
editable = ["train.sh"]
train = "sh train.sh"
environment = ["NUMBERS"]
[metric]
name = "val_bpb"
${contract}
[budget]
seconds = ${seconds}
limit_seconds = 60
`,
  });
  const userState = await snapshotUserState(repository);
  /** Nothing of a check is left: no branch, ref, worktree, process, and of the data only what every engine has. */
  const expectNothingLeft = async () => {
    expect(await snapshotUserState(repository)).toBe(userState);
    expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    expect((await git(repository, 'worktree', 'list', '--porcelain')).match(/^worktree /gm)).toHaveLength(1);
    expect(await readdir(`${repository}/.git/worktrees`).catch(() => [])).toEqual([]);
    expect(await findRunsWith(numbers)).toEqual([]);
    expect((await readdir(home)).filter(name => !/^(?:pawl\.sqlite|engine|reserve)/.test(name))).toEqual([]);
  };
  const options: PawlOptions = { home, env: { NUMBERS: numbers } };
  return { home, repository, numbers, options, expectNothingLeft };
}

type Report = {
  readonly checks: readonly PreflightCheck[];
  readonly metric: MetricCheckOutcome | null;
  readonly lines: readonly CheckLine[];
};

async function check(repository: string, options: PawlOptions, ...args: string[]) {
  const { code, stdout, stderr } = await pawl(['doctor', repository, '--metric', '--json', ...args], options);
  const report = JSON.parse(stdout) as Report;
  const measured = report.metric?.kind === 'measured' ? report.metric.check : null;
  return { code, report, measured, stderr, words: report.lines.map(({ text }) => text).join('\n') };
}

test('a check trains as often as it is told, once broken, tells what came of it and leaves nothing', async () => {
  const { home, repository, expectNothingLeft } = await prepare(REPEATABLE);
  const { code, measured, stderr, words } = await check(repository, { home }, '--runs', '4', '--hours', '2');
  expect(code).toBe(0);
  expect(measured).toMatchObject({
    ...{ asked: 4, values: [1.1002, 1.1002, 1.1002, 1.1002], digits: 6 },
    night: { hours: 2, auditRuns: 0 },
    broken: { kind: 'run', file: 'train.sh', name: 'LR', from: '2', to: '200', value: 1.12 },
    // Each is a change of the code as it is, also where one before it was better or worse.
    seeds: {
      ...{ file: 'train.sh', name: 'SEED', from: '7' },
      runs: [
        { to: '8', value: 1.10021 },
        { to: '9', value: 1.10022 },
      ],
    },
  });
  expect(words).toContain('it is repeatable');
  expect(words).toContain('worse by 0.02: the number notices');
  expect(stderr).toContain('Run 1 of 5 …');
  expect(stderr).toContain('Run 5 of 7, with a constant broken on purpose …');
  expect(stderr).toContain('Run 7 of 7, with another seed …');
  await expectNothingLeft();
});

test('a change that is better is not kept: the next one is of the code as it is, too', async () => {
  const { home, repository } = await prepare(
    `LR=2\nSEED=7\nprintf 'val_bpb: 1.%05d\\n' $((20000 - 10 * LR + SEED))\n`,
  );
  const { measured, words } = await check(repository, { home }, '--runs', '2');
  expect(measured).toMatchObject({
    broken: { value: 1.18007 },
    seeds: { runs: [{ value: 1.19988 }, { value: 1.19989 }] },
  });
  expect(words).toContain('check that metric.goal is the right way round');
});

test('a number that does not notice a broken constant is told, in the terminal as a warning', async () => {
  const { home, repository } = await prepare(`LR=2\necho "val_bpb: 1.10020"\n`);
  const { stdout, code } = await pawl(['doctor', repository, '--metric', '--runs', '2'], { home });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^! With LR = 200 instead of 2 \(train\.sh\), it is 1\.10020, exactly the same: the number may not depend/m,
  );
});

test('a broken run that fails says so, and that the number was not seen to notice', async () => {
  const { home, repository } = await prepare(`LR=2\n[ $LR -lt 9 ] || exit 7\necho "val_bpb: 1.10020"\n`);
  const { measured, words } = await check(repository, { home }, '--runs', '2');
  expect(measured?.broken).toMatchObject({ value: null });
  expect(words).toMatch(/the run gave no number, so it is unknown whether the number notices: .*7/);
});

test('nothing is broken where that is not wanted, or there is no constant', async () => {
  const { home, repository } = await prepare(REPEATABLE);
  const left = await check(repository, { home }, '--runs', '2', '--no-break');
  expect(left.measured).toMatchObject({ values: [1.1002, 1.1002], broken: { kind: 'left_out' } });
  const without = await prepare('echo "val_bpb: 1.10020"\n');
  const none = await check(without.repository, { home: without.home }, '--runs', '2');
  expect(none.measured).toMatchObject({ values: [1.1002, 1.1002], broken: { kind: 'no_constant' } });
});

test('doctor tells how far off the budget is: by what it names, then by the check, then by a study', async () => {
  const { home, repository } = await prepare(REPEATABLE, '', 0.01);
  const budget = async (...args: string[]) => {
    const { stdout } = await pawl(['doctor', repository, '--json', ...args], { home });
    const checks = JSON.parse(stdout) as PreflightCheck[];
    const { outcome, detail } = checks.find(({ name }) => name === 'budget') ?? {};
    return `${outcome}: ${detail}`;
  };
  expect(await budget()).toContain('ok: budget.seconds is 0.01: time-boxed if the code trains for');
  await check(repository, { home }, '--runs', '2', '--no-break');
  const checked = await budget();
  expect(checked).toMatch(
    /^warning: The last baseline: It trains for \d\.\d s, and budget\.seconds is 0\.01: fixed work/,
  );
  expect(checked).toMatch(/write budget\.seconds = \d\.\d+\.$/);
  // Of another command only its own baseline tells.
  const other = ['--train', 'sh ./train.sh'];
  expect(await budget(...other)).toContain('time-boxed if the code trains for');
  await pawl(['run', repository, '-n', '0', ...other], { home });
  expect(await budget(...other)).toMatch(/^warning: The last baseline: It trains for/);
});

test('a budget that nobody names is said to be assumed', async () => {
  const home = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': REPEATABLE,
    'pawl.toml': '[contract]\neditable = ["train.sh"]\ntrain = "sh train.sh"\n[metric]\nname = "val_bpb"\n',
  });
  const { stdout } = await pawl(['doctor', repository], { home });
  expect(stdout).toContain(
    'budget.seconds is not set, so 300 s are assumed: time-boxed if the code trains for 225 to 375 s, otherwise fixed work',
  );
});

test('a contract that is greedy is measured as often', async () => {
  const { home, repository } = await prepare(REPEATABLE, 'verdict = "greedy"');
  const { measured } = await check(repository, { home }, '--runs', '3', '--no-break');
  expect(measured?.values).toHaveLength(3);
});

test('code that gives no number ends the check with why, and leaves nothing', async () => {
  const { home, repository, expectNothingLeft } = await prepare('LR=2\necho "no number"\nexit 3\n');
  const { code, report, words } = await check(repository, { home });
  expect(code).toBe(3);
  expect(report.metric?.kind).toBe('failed');
  expect(words).toContain('The unchanged code gave no valid number.');
  await expectNothingLeft();
});

test('a run of the code as it is that fails is told beside the number of the one that did not', async () => {
  const { repository, options } = await prepare(
    'LR=2\n[ -e "$NUMBERS/first" ] && exit 7\ntouch "$NUMBERS/first"\necho "val_bpb: 1.10020"\n',
  );
  const { measured, words } = await check(repository, options, '--runs', '2', '--no-break');
  expect(measured).toMatchObject({ asked: 2, values: [1.1002], fault: expect.stringContaining('7') });
  expect(words).toContain(`1 run gave no number: ${measured?.fault}`);
});

test('a set-up command is agreed to first, and what it makes is there in every run', async () => {
  const home = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': 'LR=2\ncat made\n',
    'pawl.toml': `[contract]
editable = ["train.sh"]
setup = "echo 'val_bpb: 1.10020' > made"
train = "sh train.sh"
[metric]
name = "val_bpb"
`,
  });
  const refused = await pawl(['doctor', repository, '--metric'], { home });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--trust-setup')]);
  const { measured, stderr } = await check(repository, { home }, '--runs', '2', '--trust-setup');
  expect(measured).toMatchObject({ values: [1.1002, 1.1002], broken: { value: 1.1002 } });
  expect(stderr).toContain('The set-up command runs.');
  // Agreed to for this once: a study asks again.
  const study = await pawl(['run', repository, '-n', '0'], { home });
  expect(study.stderr).toContain('--trust-setup');
});

test('a number that comes later cannot be checked', async () => {
  const { home, repository } = await prepare(REPEATABLE, 'wait = "1h"');
  const { code, stdout, stderr } = await pawl(['doctor', repository, '--metric', '--json'], { home });
  expect(code).toBe(2);
  expect(stderr).toContain('comes later');
  expect(JSON.parse(stdout)).toEqual({
    ...{ checks: expect.arrayContaining([expect.objectContaining({ name: 'contract' })]), metric: null },
    ...{ lines: [], error: { code: 'usage', message: expect.stringContaining('comes later') } },
  });
});

test('nothing is trained where a check fails', async () => {
  const { home } = await prepare(REPEATABLE);
  const repository = await createRepository({ 'pawl.toml': '[contract]\n' });
  const { code, report, stderr } = await check(repository, { home });
  expect([code, report.metric]).toEqual([2, null]);
  expect(stderr).not.toContain('Run 1');
});

/** Its second run does not end by itself, nor with the terminal that it runs on. */
const HANGS = `LR=2
trap '' HUP
echo "val_bpb: 1.10020"
[ -e "$NUMBERS/second" ] && touch "$NUMBERS/hangs" && sleep 600
touch "$NUMBERS/second"
`;

async function untilSecondRun({ repository, numbers, options }: Awaited<ReturnType<typeof prepare>>) {
  const written = watch(numbers);
  const child = startPawl(['doctor', repository, '--metric'], options);
  for await (const { filename } of written) if (filename === 'hangs') break;
  return child;
}

test('Ctrl-C ends a check and leaves nothing', async () => {
  const prepared = await prepare(HANGS);
  const child = await untilSecondRun(prepared);
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  expect(code).toBe(130);
  await prepared.expectNothingLeft();
});

test('what a killed check left is removed by the next engine', async () => {
  const prepared = await prepare(HANGS);
  const { repository, numbers, options } = prepared;
  const child = await untilSecondRun(prepared);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toContain(
    'autoresearch/metric-check-',
  );
  expect(await findRunsWith(numbers)).not.toEqual([]);
  const other = await prepare(REPEATABLE);
  await check(other.repository, { home: options.home }, '--runs', '2', '--no-break');
  await prepared.expectNothingLeft();
});
