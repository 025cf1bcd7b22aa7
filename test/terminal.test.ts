import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type EngineEvent, eventSchema } from '../src/shared/events.ts';
import { gatedNight } from './support/gated-night.ts';
import { endOf, startNode } from './support/node-process.ts';
import { eventsOf, pawl, RunningPawl, sitting } from './support/pawl.ts';
import { PAWL_MAIN } from './support/pawl-command.ts';
import { contractFile, FAST_TRAINER, fastRepository, temporaryFolder } from './support/scaffold.ts';
import { checkNight, dyingAt, prepareNight, rowsOf, TAG } from './support/study.ts';

test('a bad option ends with 2 and one clear line, and starts nothing', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['-n', 'x'], 'experiments'],
    [['-n', '-1'], 'experiments'],
    [['-n', '1.5'], 'experiments'],
    [['--deadline', 'soon'], 'soon'],
    [['--deadline', '2001-01-01'], '2001-01-01'],
    [['--target', 'low'], 'target'],
    [['--patience', '0'], 'patience'],
    [['--limit', '0'], 'limit'],
    [['--budget', '-3'], 'budget'],
    [['--seed', '1.5'], 'seed'],
    [['--proposer', 'magic'], 'search, command or patches'],
    [['--proposer', 'command'], '--command'],
    [['--proposer', 'patches'], '--patches'],
    [['--patches', join(home, 'none')], join(home, 'none')],
    [['--tag', 'two words'], 'two words'],
    [['--tag', '../up'], '../up'],
    [['--tag', 'x.lock'], 'x.lock'],
    [['--experiment', '3'], '--experiment'],
    [['another-path'], 'arguments'],
  ];
  for (const [flags, named] of wrong) {
    const { code, stdout, stderr } = await pawl(['run', repository, ...flags], { home });
    const words = flags.join(' ');
    expect(code, words).toBe(2);
    expect(stdout, words).toBe('');
    expect(stderr.replaceAll("', '", ', '), words).toMatch(
      named === 'search, command or patches' ? /search.*command.*patches/ : named,
    );
    // commander may add a line that asks what was meant.
    expect(stderr, words).toMatch(/^(?:pawl|error): [^\n]*\n(?:\(Did you mean [^\n]*\n)?$/);
  }
  for (const args of [
    ['frobnicate'],
    ['show'],
    ['show', 'x'],
    ['run', join(home, 'nowhere')],
    ['run', home],
  ]) {
    expect((await pawl(args, { home })).code, args.join(' ')).toBe(2);
  }
  expect(
    JSON.parse((await pawl(['status', '--json'], { home, cwd: repository })).stdout || 'null'),
  ).toBeNull();
});

test('a count that is no whole number is refused, as pawl.toml refuses it', async () => {
  const night = await prepareNight();
  for (const flag of ['--patience', '--max-crashes']) {
    const { code, stderr } = await pawl(['run', night.repository, flag, '1.5', '-n', '0'], night);
    expect(code, flag).toBe(2);
    expect(stderr).toContain(flag);
  }
});

test('a tag that is taken is refused, and the line says how to go on', async () => {
  const night = await prepareNight();
  await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], night);
  const { code, stderr } = await pawl(['run', night.repository, '--tag', TAG], night);
  expect(code).toBe(2);
  expect(stderr).toContain(`pawl resume --tag ${TAG}`);
});

/** A command proposer: a shell script that sees the request as $REQUEST and the experiment's number as $N. */
async function proposerScript(body: string): Promise<string> {
  const path = join(await temporaryFolder(), 'propose.sh');
  const head = `#!/bin/sh
REQUEST=$(cat)
N=$(printf %s "$REQUEST" | grep -o '"experiment":[0-9]*' | head -n 1 | cut -d: -f2)
set_constant() { sed "s/^$1=.*/$1=$2/" train.sh > train.sh.new && cat train.sh.new > train.sh && rm train.sh.new; }
`;
  await writeFile(path, head + body);
  await chmod(path, 0o755);
  return path;
}

test('every event matches the schema to the last property, and the numbers have no gap', async () => {
  const state = await temporaryFolder();
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^printf/m, '[ "$LR" -lt 100 ] || exit 7\nprintf'),
    contract: contractFile({ more: 'setup = "true"' }),
  });
  const script = await proposerScript(`
if [ "$N" = 1 ]; then set_constant LR 4; fi
if [ "$N" = 2 ]; then set_constant LR $((100 + $(ls ${state} | wc -l))); touch ${state}/$$; fi
if [ "$N" = 3 ] && [ ! -e ${state}/refused ]; then touch ${state}/refused; exit 3; fi
if [ "$N" = 3 ]; then set_constant LR 7; fi
if [ "$N" = 4 ]; then kill -TERM $PPID; sleep 300; fi
echo '{"hypothesis": "Try another rate", "rationale": "why not", "predicted_effect": -0.01, "category": "rate"}'
`);
  const running = startNode(
    process.execPath,
    [
      PAWL_MAIN,
      'run',
      night.repository,
      '--tag',
      TAG,
      '--trust-setup',
      '--json',
      '--command',
      `exec ${script}`,
    ],
    night.home,
  );
  const { stdout, code } = await endOf(running);
  expect(code).toBe(130);
  const lines = stdout.trimEnd().split('\n');
  const raw = lines.map(line => JSON.parse(line) as EngineEvent);
  for (const event of raw) expect(eventSchema.parse(event)).toEqual(event);
  expect(raw.map(event => event.seq)).toEqual(raw.map((_, index) => index + 1));
  expect(new Set(raw.map(event => event.study)).size).toBe(1);
  for (const [index, { at }] of raw.entries()) expect(at).toBeGreaterThanOrEqual(raw[index - 1]?.at ?? 0);
  const missing = eventSchema.options
    .map(option => option.shape.type.value)
    .filter(type => !raw.some(event => event.type === type));
  // A thought needs a model, a rest several proposers, a review approve mode; those are looked at where they come. A pause
  // has its own test, and so have repeats, hosts and screenings; a warning needs a process that cannot be killed.
  expect(missing).toEqual([
    ...[
      'thought',
      'review_opened',
      'review_closed',
      'run_unfair',
      'handed_over',
      'repeat_started',
      'repeated',
      'rolled_back',
      'taken_back',
      'awaiting_number',
      'put_off',
      'proposer_rests',
      'proposer_rested',
      'host_away',
      'host_joined',
      'warning',
    ],
    ...['wished', 'study_paused', 'study_continued'],
  ]);
  await checkNight(night);
});

test('"show" prints an experiment, its difference, its output and its series', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await sitting(['run', repository, '--tag', TAG, '--strategy', 'ladder', '-n', '3'], { home });
  const show = async (...args: string[]) => {
    const { code, stdout, stderr } = await pawl(['show', ...args], { home, cwd: repository });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const row = rowsOf(home).experiments[3];
  const bare = await show('3');
  for (const part of [`#3 of ${TAG}`, row?.hypothesis, 'keep (better)', '1.064000', row?.attempt_commit]) {
    expect(bare).toContain(part);
  }
  expect(await show('3', '--diff')).toContain('-WIDTH=16\n+WIDTH=8\n');
  expect(await show('0', '--diff')).toBe('The baseline is the unchanged code: no diff.\n');
  expect(await show('3', '--log')).toBe(
    await readFile(join(home, 'studies', rowsOf(home).studyId, 'runs', '3', 'output.log'), 'utf8'),
  );
  expect(await show('3', '--log')).toContain('\nval_bpb:          1.064000\n');
  const [heading, ...points] = (await show('3', '--series')).trimEnd().split('\n');
  const columns = heading?.split('\t') ?? [];
  expect(columns).toEqual(expect.arrayContaining(['seconds', 'step', 'loss']));
  expect(points.map(point => point.split('\t')[columns.indexOf('loss')])).toEqual(['3.123456', '2.123456']);
  const missing = await pawl(['show', '99'], { home, cwd: repository });
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toBe(`pawl: There is no experiment 99 in ${TAG}; it has 0 to 3.\n`);
});

test('the search finds words of hypotheses, rationales and notes, and no query breaks it', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const script = await proposerScript(`
set_constant LR $((N + 2))
if [ "$N" = 1 ]; then echo '{"hypothesis": "Quadruple the warmup", "rationale": "the DEVICE_BATCH_SIZE is small"}'
else echo '{"hypothesis": "Use rotary embeddings"}'; fi
`);
  await sitting(['run', repository, '--tag', TAG, '-n', '2', '--command', script], { home });
  const found = async (...words: string[]) => {
    const { code, stdout, stderr } = await pawl(['search', '--', ...words], { home, cwd: repository });
    expect({ code, stderr }, words.join(' ')).toEqual({ code: 0, stderr: '' });
    return [...stdout.matchAll(/^#(\d+)/gm)].map(match => Number(match[1]));
  };
  await pawl(['note', '2', 'Überraschend', 'gut:', 'merge', 'it'], { home, cwd: repository });
  expect(await found('warmup')).toEqual([1]);
  expect(await found('WARMUP', 'quadruple')).toEqual([1]);
  expect(await found('rota')).toEqual([2]);
  expect(await found('DEVICE_BATCH_SIZE')).toEqual([1]);
  expect(await found('überraschend')).toEqual([2]);
  expect(await found('rotary', 'merge')).toEqual([2]);
  expect(await found('warmup', 'rotary')).toEqual([]);
  for (const query of ['...', '"', "'", '*', '_', '^', '(', '-', ' ', ''])
    expect(await found(query)).toEqual([]);
  for (const query of ['warmup OR rotary', 'NEAR(warmup', 'hypothesis:warmup', 'warmup NOT rotary']) {
    expect(await found(query)).toEqual([]);
  }
  for (const query of ['warm*', '"warmup"', 'warmup)', '-warmup', '^warmup']) {
    expect(await found(query), query).toEqual([1]);
  }
});

test('an edit that was tried before is refused before it costs a run', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const state = await temporaryFolder();
  // Each experiment after the first tries the first's edit before its own.
  const script = await proposerScript(`
if [ "$N" != 1 ] && [ ! -e ${state}/$N ]; then touch ${state}/$N; set_constant LR 20; set_constant WIDTH 16
else set_constant LR $((N * 20)); fi
echo '{"hypothesis": "Experiment '$N'"}'
`);
  const { events, code } = await sitting(['run', repository, '--tag', TAG, '-n', '3', '--command', script], {
    home,
  });
  expect(code).toBe(0);
  const refused = eventsOf(events, 'refused');
  expect(refused.map(({ n, reason }) => [n, reason])).toEqual([
    [2, 'duplicate'],
    [3, 'duplicate'],
  ]);
  expect(refused[0]?.message).toContain('experiment 1');
  expect(eventsOf(events, 'run_started').map(event => event.n)).toEqual([0, 1, 2, 3]);
  await checkNight(night);
});

test('a proposer with nothing but refused edits ends the study and says why', async () => {
  const night = await prepareNight();
  const script = await proposerScript(`
set_constant LR 2
echo '{"hypothesis": "Nothing new"}'
`);
  const { events } = await sitting(['run', night.repository, '--tag', TAG, '--command', script], night);
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(Array(5).fill('no_change'));
  expect(eventsOf(events, 'run_started')).toHaveLength(1);
  const stopped = eventsOf(events, 'study_stopped')[0];
  expect(stopped).toMatchObject({ reason: 'proposer', finished: 1 });
  expect(stopped?.detail).toContain('changes nothing');
  await checkNight(night);
});

test('patches are tried in the order of their numbers, and one that does not fit is passed over', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const folder = join(await temporaryFolder(), 'patches');
  await mkdir(folder);
  const patch = (file: string, hunk: string, subject = '') =>
    `${subject}diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n${hunk}`;
  const end = FAST_TRAINER.split('\n')[3];
  const patches: Readonly<Record<string, string>> = {
    '1-rate.patch': patch(
      'train.sh',
      '@@ -1,2 +1,2 @@\n-LR=2\n+LR=3\n DEPTH=4\n',
      'Subject: [PATCH 1/4] Raise the rate\n\n',
    ),
    '2-stale.patch': patch('train.sh', '@@ -1,2 +1,2 @@\n-LR=2\n+LR=4\n DEPTH=4\n'),
    '3-locked.patch': patch('prepare.sh', '@@ -1 +1 @@\n-echo fixed\n+echo easier\n'),
    '10-width.patch': patch('train.sh', `@@ -2,3 +2,3 @@\n DEPTH=4\n-WIDTH=16\n+WIDTH=8\n ${end}\n`),
  };
  for (const [name, content] of Object.entries(patches)) await writeFile(join(folder, name), content);
  const { events, code } = await sitting(['run', repository, '--tag', TAG, '--patches', folder], { home });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict').map(({ n, verdict, hypothesis }) => [n, verdict, hypothesis])).toEqual([
    [0, 'keep', expect.any(String)],
    [1, 'keep', 'Raise the rate'],
    [2, 'keep', '10-width'],
  ]);
  expect(eventsOf(events, 'refused').map(({ n, reason }) => [n, reason])).toEqual([
    [2, 'proposer_failed'],
    [2, 'not_editable'],
  ]);
  expect(eventsOf(events, 'refused')[0]?.message).toContain('2-stale.patch');
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'exhausted', finished: 3 });
  expect(rowsOf(home).experiments).toHaveLength(3);
  // A resumed study knows which are done, and takes what was added.
  const later = patch('train.sh', `@@ -2,3 +2,3 @@\n-DEPTH=4\n+DEPTH=5\n WIDTH=8\n ${end}\n`);
  await writeFile(join(folder, '11-depth.patch'), later);
  const more = await sitting(['resume', repository], { home });
  expect(eventsOf(more.events, 'verdict').map(event => event.hypothesis)).toEqual(['11-depth']);
  expect(eventsOf(more.events, 'refused')).toEqual([]);
  await checkNight(night);
});

test('a repair that was killed keeps the hypothesis of the attempt it has', async () => {
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^printf/m, '[ "$LR" -lt 100 ] || exit 7\nprintf'),
  });
  const { home, repository } = night;
  const script = await proposerScript(`
case "$REQUEST" in
  *'"kind":"repair"'*) set_constant LR 7; echo '{"hypothesis": "The mended one"}' ;;
  *) set_constant LR 100; echo '{"hypothesis": "The broken one"}' ;;
esac
`);
  const died = new RunningPawl(['run', repository, '--tag', TAG, '-n', '1', '--command', script], {
    home,
    env: dyingAt({ event: { type: 'proposed', hypothesis: 'The mended one' } }),
  });
  expect((await died.ended).signal).toBe('SIGKILL');
  const broken = rowsOf(home).experiments[1]?.attempt_commit;
  const resumed = new RunningPawl(['resume', repository], {
    home,
    env: dyingAt({ event: { type: 'run_started', n: 1 } }),
  });
  await resumed.ended;
  // What is trained again is the broken attempt, so the ledger must not call it the mended one.
  expect(rowsOf(home).experiments[1]).toMatchObject({ attempt_commit: broken, hypothesis: 'The broken one' });
  const last = await sitting(['resume', repository], { home });
  expect(eventsOf(last.events, 'verdict')).toMatchObject([
    { n: 1, hypothesis: 'The mended one', metric: expect.any(Number) },
  ]);
  await checkNight(night);
});

test('resume of another repository does not steer the engine that runs', async () => {
  const night = await gatedNight();
  const { home, repository, env } = night;
  const other = await fastRepository();
  await sitting(['run', other, '--tag', 'other', '-n', '0'], { home });
  const running = new RunningPawl(['run', repository, '--tag', TAG], { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.n === 1);
  const refused = await pawl(['resume', other], { home });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^pawl: An engine is running .*; other can continue once that has stopped\.\n$/,
  );
  expect((await pawl(['stop', '--now'], { home })).code).toBe(0);
  expect((await running.ended).code).toBe(130);
});

test('the line of a verdict says why, where its numbers do not', async () => {
  const limited = contractFile().replace('[budget]', 'memory_limit = 1000\n[budget]');
  const { home, repository } = await prepareNight({ contract: limited });
  const { stdout } = await pawl(['run', repository, '-n', '1', '--strategy', 'ladder'], { home });
  expect(stdout).toMatch(/#0 .* keep .* Baseline: the code as it is\n/);
  expect(stdout).toMatch(/#1 .* discard .* from 2 to \d: memory limit\n/);
});
