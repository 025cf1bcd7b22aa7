import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EngineEvent } from '../../../src/shared/events.ts';
import type { DeathPoint } from '../../support/die-at.ts';
import { checkInvariants } from '../../support/invariants.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { createRepository, git, snapshotUserState, temporaryFolder } from '../../support/scaffold.ts';
import { dyingAt, readMarks } from '../../support/study.ts';

/**
 * A training whose number is the next line of a file for its LR, so that a test says what every run of every commit prints;
 * the last line stands for all further runs.
 */
const TRAINER = `# A line that does nothing.
LR=0
file="$NUMBERS/$LR"
value=$(head -n 1 "$file")
[ "$(wc -l <"$file")" -gt 1 ] && sed -i 1d "$file"
echo "val_bpb: $value"
[ "$value" = wait ] && sleep 600
exit 0
`;

/** Every experiment sets LR to its own number. */
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
sed -i "s/^LR=.*/LR=$n/" train.sh; echo "{\\"hypothesis\\":\\"Set LR to $n\\"}"`;

const WORSE = '1.2000';

type Numbers = Readonly<Record<number, readonly string[]>>;

/** A study in which experiment n prints `numbers[n]`, run after run, and {@link WORSE} where nothing is said of it. */
async function noisyStudy(numbers: Numbers, more = '') {
  const [home, folder] = [await temporaryFolder(), await temporaryFolder()];
  for (let n = 0; n < 40; n += 1)
    await writeFile(join(folder, String(n)), `${(numbers[n] ?? [WORSE]).join('\n')}\n`);
  const repository = await createRepository({
    'train.sh': TRAINER,
    'pawl.toml': `[contract]
editable = ["train.sh"]
train = "sh train.sh"
environment = ["NUMBERS"]
[metric]
name = "val_bpb"
${more}
[budget]
seconds = 5
limit_seconds = 600
`,
  });
  const userState = await snapshotUserState(repository);
  const env = { PAWL_VERDICT: undefined, NUMBERS: folder };
  const check = () => checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
  const command = ['run', repository, '--tag', 'night', '--command', PROPOSER];
  const run = (...args: string[]) => sitting([...command, ...args], { home, env });
  const resume = (...args: string[]) => sitting(['resume', repository, ...args], { home, env });
  return { home, folder, repository, env, command, run, resume, check };
}

/** What was trained, in order: `n` for an experiment, `n purpose` for a repeat. */
function trained(events: readonly EngineEvent[]): readonly string[] {
  return events.flatMap(event => {
    if (event.type === 'verdict') return [`${event.n}`];
    return event.type === 'repeat_started' ? [`${event.n} ${event.purpose}`] : [];
  });
}

/** A baseline of 1.0005 in the mean, a first keep that was luck, and twelve that do not beat it. */
const LUCKY: Numbers = {
  0: ['1.0000', '1.0010', '1.0004', '1.0006'],
  1: ['0.9900', '1.0200'],
  14: ['0.9800', '0.9802', '0.9798'],
};

test('the baseline runs twice, and what is compared is the mean', async () => {
  const { run, check } = await noisyStudy({ 0: ['1.0000', '1.0010'], 1: ['1.0003'], 2: ['1.0002'] });
  const { code, events } = await run('-n', '2');
  expect(code).toBe(0);
  expect(trained(events).slice(0, 4)).toEqual(['0', '0 baseline', '1', '2']);
  expect(eventsOf(events, 'repeated')[0]).toMatchObject({
    n: 0,
    k: 1,
    value: 1.001,
    record: 1.0005,
    runs: 2,
  });
  // Better than the mean of the baseline, not than its first number.
  expect(eventsOf(events, 'verdict').map(({ verdict, delta }) => [verdict, delta?.toFixed(4)])).toEqual([
    ['keep', undefined],
    ['keep', '-0.0002'],
    ['keep', '-0.0001'],
  ]);
  await check();
});

test('a lucky keep is measured again after twelve discards, and taken back', async () => {
  const { run, check, repository, home, env } = await noisyStudy(LUCKY);
  const { code, events } = await run('-n', '14');
  expect(code).toBe(0);
  const order = trained(events);
  expect(order.slice(14, 17)).toEqual(['13', '1 remeasure', '14']);
  expect(order.slice(17)).toEqual(['14 headline', '0 headline', '14 headline', '0 headline']);
  const [back] = eventsOf(events, 'rolled_back');
  expect(back).toMatchObject({ n: 1, runs: 2, parent: 0, parentRecord: 1.0005 });
  expect(back?.record).toBeCloseTo(1.005, 9);
  // The next one is compared with the baseline again, and is its child.
  expect(eventsOf(events, 'verdict').at(-1)).toMatchObject({ n: 14, verdict: 'keep' });
  const log = await git(repository, 'log', '--format=%s', 'autoresearch/night');
  expect(log.split('\n').map(line => line.replace(/^.*Set/, 'Set'))).toEqual(['Set LR to 14', 'start']);
  await check();
  const { stdout } = await pawl(['show', '1'], { home, cwd: repository, env });
  expect(stdout).toMatch(/rolled back/i);
  const table = await pawl(['results', '--format', 'tsv'], { home, cwd: repository, env });
  expect(table.stdout).toMatch(/\t0\.990000\t0\.0\tdiscard\tSet LR to 1\n/);
});

test('a keep that holds when it is measured again stays, and is not asked again', async () => {
  const { run, check } = await noisyStudy({ ...LUCKY, 1: ['0.9900', '0.9904', '0.9902'], 14: [WORSE] });
  const { events } = await run('-n', '27');
  expect(trained(events).filter(line => line.includes('remeasure'))).toEqual(['1 remeasure']);
  expect(eventsOf(events, 'rolled_back')).toEqual([]);
  await check();
});

test('fewer lines are kept up to half the noise worse than the best, which is no new best', async () => {
  const { home, env, repository, check } = await noisyStudy({ 0: ['1.0000', '1.0010', '1.0008', '1.0006'] });
  const shorter = `sed -i 1d train.sh; echo '{"hypothesis":"Without its first line"}'`;
  const command = ['run', repository, '--tag', 'night', '--command', shorter, '-n', '1'];
  const { events } = await sitting(command, { home, env });
  // The noise of 0.001 between the two baselines, with the prior, is 0.0007: half of it above 1.0005 is 1.00085.
  expect(eventsOf(events, 'verdict')[1]).toMatchObject({
    verdict: 'keep',
    reason: 'simplified',
    metric: 1.0008,
  });
  expect(eventsOf(events, 'new_best').map(({ n }) => n)).toEqual([0]);
  await check();
});

test('a study without a gain ends without further runs', async () => {
  const { run } = await noisyStudy({});
  const { events } = await run('-n', '2');
  expect(trained(events)).toEqual(['0', '0 baseline', '1', '2']);
});

test('what is greedy is never trained again', async () => {
  const { run, home, repository } = await noisyStudy(LUCKY, 'verdict = "greedy"');
  const { events } = await run('-n', '14');
  expect(trained(events)).toEqual([...Array(15).keys()].map(String));
  // And so says the machine, where the contract does not.
  const open = await noisyStudy(LUCKY);
  const said = await sitting([...open.command, '-n', '1'], {
    ...{ home: open.home, env: { ...open.env, PAWL_VERDICT: 'greedy' } },
  });
  expect(trained(said.events)).toEqual(['0', '1']);
  await git(repository, 'rev-parse', 'autoresearch/night');
  expect(await readFile(join(home, 'pawl.sqlite'))).not.toHaveLength(0);
});

test('an audit trains what was kept again, tries nothing new, and measures the gain anew', async () => {
  const { run, check, home, repository, env } = await noisyStudy({
    0: ['1.0000', '1.0010', '1.0004', '1.0006', '1.0002'],
    1: ['0.9950', '0.9952', '0.9948'],
    2: ['0.9945'],
  });
  await run('-n', '2');
  const status = async () => (await pawl(['status'], { home, cwd: repository, env })).stdout;
  expect(await status()).toMatch(/Gain over 4 fresh runs: −0\.006\d* ± /);
  const { code, events } = await sitting(['audit', repository, '--runs', '9'], { home, env });
  expect(code).toBe(0);
  const order = trained(events);
  expect(order).toHaveLength(9);
  expect(order.slice(0, 5).every(line => line.endsWith(' audit'))).toBe(true);
  expect(order.slice(5)).toEqual(['2 headline', '0 headline', '2 headline', '0 headline']);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'audited', finished: 3 });
  expect(await status()).toMatch(/2 keeps, \d proven/);
  const shown = await pawl(['show', '2'], { home, cwd: repository, env });
  expect(shown.stdout).toMatch(/mean +0\.9945\d* of \d runs\n/);
  expect(shown.stdout).toMatch(/claim +(?:proven|unproven, \d+ %)\n/);
  await check();
});

test('also what was greedy can be audited', async () => {
  const { run, home, env, repository } = await noisyStudy(
    { 0: ['1.0000'], 1: ['0.9000'] },
    'verdict = "greedy"',
  );
  await run('-n', '1');
  const { events } = await sitting(['audit', repository, '--runs', '4'], { home, env });
  expect(trained(events)).toEqual(['1 headline', '0 headline', '1 headline', '0 headline']);
  expect(eventsOf(events, 'study_stopped')[0]?.claims[0]).toContain('Gain over 4 fresh runs');
});

test('a gain below the least one is no gain', async () => {
  const numbers = { 0: ['1.0000'], 1: ['0.9960'], 2: ['0.9940'] };
  const { run } = await noisyStudy(numbers, 'verdict = "greedy"\nleast_gain = 0.005');
  const { events } = await run('-n', '2');
  expect(eventsOf(events, 'verdict').map(({ verdict, reason }) => [verdict, reason])).toEqual([
    ['keep', 'baseline'],
    ['discard', 'equal'],
    ['keep', 'better'],
  ]);
});

test.each<[string, DeathPoint, number]>([
  ['while the best is measured again', { event: { type: 'run_started', n: 1, k: 1 } }, 2],
  ['between the verdict and the branch', { event: { type: 'repeated', n: 1 } }, 1],
  ['after the branch has moved', { event: { type: 'rolled_back', n: 1 } }, 1],
])('a kill %s loses nothing, and the study goes on', async (_, point, starts) => {
  const { home, env, command, resume, check, repository } = await noisyStudy({
    ...LUCKY,
    1: ['0.9900', '1.0200', '1.0200'],
  });
  const dying = new RunningPawl([...command, '-n', '14'], { home, env: { ...env, ...dyingAt(point) } });
  expect((await dying.ended).signal).toBe('SIGKILL');
  const { events, code } = await resume('-n', '14');
  expect(code).toBe(0);
  const again = [...trained(dying.events), ...trained(events)].filter(line => line === '1 remeasure');
  expect(again).toHaveLength(starts);
  const log = await git(repository, 'log', '--format=%s', 'autoresearch/night');
  expect(log).toMatch(/Set LR to 14\nstart$/);
  expect(readMarks(home, 'rolled_back')).toEqual([expect.stringMatching(/^#1 is taken back/)]);
  await check();
});

test('a stop ends a repeat at once; its experiment keeps its verdict, and the next sitting repeats it', async () => {
  const { home, folder, env, command, resume, check } = await noisyStudy({
    0: ['1.0000', 'wait', '1.0010'],
  });
  const running = new RunningPawl([...command, '-n', '1'], { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.k === 1);
  // It waits once it has taken its line, and the next one must not take the same.
  await expect.poll(() => readFile(join(folder, '0'), 'utf8')).not.toContain('wait');
  running.child.kill('SIGTERM');
  const { code } = await running.ended;
  expect(code).toBe(130);
  const { events } = await resume();
  expect(trained(events)).toEqual(['0 baseline', '1']);
  expect(eventsOf(events, 'repeated')[0]).toMatchObject({ value: 1.001, runs: 2 });
  await check();
});

test('a repeat that crashes counts for nothing, and is not asked again', async () => {
  const { run, check } = await noisyStudy({ 0: ['1.0000', 'nothing', '1.0000'], 1: ['0.9000'] });
  const { events } = await run('-n', '1');
  expect(trained(events).slice(0, 3)).toEqual(['0', '0 baseline', '1']);
  expect(eventsOf(events, 'repeated')[0]).toMatchObject({ value: null, record: 1, runs: 1 });
  await check();
});

test('a gain of a training that repeats itself is tried with two other seeds, and told with them', async () => {
  const home = await temporaryFolder();
  const repository = await createRepository({
    // The gain is .01 with the seed that it has, .002 with the next one, and none with the one after that.
    'train.sh': `SEED=7
LR=0
gain=0
[ $LR = 0 ] || { [ $SEED = 7 ] && gain=1000; [ $SEED = 8 ] && gain=200; }
printf 'val_bpb: 1.%05d\\n' $((5000 + SEED * 111 - gain))
`,
    'pawl.toml': `[contract]\neditable = ["train.sh"]\ntrain = "sh train.sh"\n[metric]\nname = "val_bpb"\n[budget]\nseconds = 5\n`,
  });
  const env = { PAWL_VERDICT: undefined };
  const command = ['run', repository, '--tag', 'night', '--command', PROPOSER, '-n', '1'];
  const { events } = await sitting(command, { home, env });
  const order = trained(events);
  expect(order.slice(-4)).toEqual(['1 seed', '0 seed', '1 seed', '0 seed']);
  const told = eventsOf(events, 'repeated').filter(({ purpose }) => purpose === 'seed');
  expect(told.map(({ value, record }) => [value, record])).toEqual([
    ...[
      [1.05688, null],
      [1.05888, null],
    ],
    ...[
      [1.05999, null],
      [1.05999, null],
    ],
  ]);
  expect(eventsOf(events, 'study_stopped')[0]?.claims[0]).toBe(
    'Gain: −0.01, repeatable with this seed; with other seeds −0.002 and ±0.',
  );
  // What it gave with its own seed is still its record, and nothing is asked twice.
  const again = await sitting(['audit', repository, '--runs', '9'], { home, env });
  expect(trained(again.events).filter(line => line.endsWith('seed'))).toEqual([]);
  const shown = await pawl(['show', '1'], { home, cwd: repository, env });
  expect(shown.stdout).toMatch(/val_bpb +1\.047770/);
});
