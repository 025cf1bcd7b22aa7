import { existsSync } from 'node:fs';
import { mkdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EngineEvent } from '../../../src/shared/events.ts';
import { eventsOf, type PawlResult, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { contractFile, FAST_TRAINER, git, temporaryFolder } from '../../support/scaffold.ts';
import {
  fillBeside,
  fillDisk,
  freeDisk,
  makeReadOnly,
  makeRoomInLedger,
  NO_SMALL_DISK,
  smallDisk,
} from '../../support/small-disk.ts';
import {
  checkNight,
  isRecorded,
  type Night,
  pausingAt,
  prepareNight,
  rowsOf,
  TAG,
  untilPaused,
} from '../../support/study.ts';

// Skipped without a disk of its own: mounting a tmpfs needs the rights of root.
const diskTest = test.skipIf(NO_SMALL_DISK !== null);

/** One line that says the disk is full and which, and no stack trace. */
function expectFullDisk({ code, stderr }: PawlResult, folder: string): void {
  expect(stderr).toMatch(/^pawl: [^\n]*\n$/);
  expect(stderr).toMatch(/disk\b.*\bfull|full\b.*\bdisk/i);
  expect(stderr).toContain(folder);
  expect(code).toBe(1);
}

function expectVerdictsKept(home: string, events: readonly EngineEvent[]): void {
  const rows = new Map(rowsOf(home).experiments.map(row => [row.n, row]));
  for (const { n, verdict, metric } of eventsOf(events, 'verdict')) {
    expect(rows.get(n)).toMatchObject({ phase: 'recorded', verdict, metric });
  }
}

async function finish(night: Night, experiments: number): Promise<void> {
  const { code, stderr } = await sitting(['resume', night.repository, '-n', String(experiments)], {
    home: night.home,
  });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(rowsOf(night.home).experiments.filter(isRecorded)).toHaveLength(experiments + 1);
  await checkNight(night);
}

const NOISES: readonly (readonly [string, string])[] = [
  ['lines without meaning', "yes 'a line of output that says nothing' | head -c 30000000"],
  ['progress lines', "seq 1 600000 | sed 's/.*/step & | loss: 1.5&/'"],
  ['one line without an end', "head -c 30000000 /dev/zero | tr '\\\\0' x"],
];

diskTest('a run beside one that fills the disk is no crash, and is trained once more', async () => {
  const place = await temporaryFolder();
  const lanes = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then\n${fillBeside(place)}\nfi\nvalue=`;
  const night = await prepareNight({
    home: await smallDisk(48),
    trainer: FAST_TRAINER.replace(/^value=/m, () => lanes),
    contract: contractFile({ limitSeconds: 600 }),
  });
  const { home, repository } = night;
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', TAG, '-n', '2', '--lanes', 'cpu:2'],
    { home },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(eventsOf(events, 'run_unfair')).toMatchObject([{ flags: [{ kind: 'lost' }] }]);
  const crashes = rowsOf(home).experiments.filter(({ verdict }) => verdict === 'crash');
  expect(crashes).toMatchObject([{ reason: 'disk_full' }]);
  await checkNight(night);
});

for (const point of ['experiment_started', 'proposed', 'attempted']) {
  diskTest(`while a run beside it has the disk full, the next one waits for room: ${point}`, async () => {
    const place = await temporaryFolder();
    // One of the first two ends at once. The other fills the disk when the third is about to be trained.
    const lanes = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ] && mkdir ${place}/noisy 2>/dev/null; then
  trap '' TERM
  until [ -e ${place}/go ]; do sleep 0.02; done
  cat /dev/zero > checkpoint
  touch ${place}/full
  while :; do sleep 1; done
fi
value=`;
    const night = await prepareNight({
      home: await smallDisk(48),
      trainer: FAST_TRAINER.replace(/^value=/m, () => lanes),
      contract: contractFile({ limitSeconds: 600 }),
    });
    const { home, repository } = night;
    const args = ['run', repository, '--tag', TAG, '-n', '3', '--lanes', 'cpu:2'];
    const running = new RunningPawl(args, { home, env: pausingAt({ event: { type: point, n: 3 } }) });
    await untilPaused(running);
    await writeFile(join(place, 'go'), '');
    await expect.poll(() => existsSync(join(place, 'full'))).toBe(true);
    running.child.kill('SIGCONT');
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const crashes = rowsOf(home).experiments.filter(({ verdict }) => verdict === 'crash');
    expect(crashes).toMatchObject([{ reason: 'disk_full' }]);
    await checkNight(night);
  });
}

for (const [what, command] of NOISES) {
  diskTest(`a training that fills the disk with ${what} is a crash, and the next one trains`, async () => {
    const night = await prepareNight({
      home: await smallDisk(8),
      trainer: `if [ -n "$NOISY" ]; then ${command}; fi\n${FAST_TRAINER}`,
      contract: contractFile({ more: 'environment = ["NOISY"]' }),
    });
    const { home, repository } = night;
    const before = await sitting(['run', repository, '--tag', TAG, '-n', '1'], { home });
    expect(before.code).toBe(0);
    const full = await sitting(['resume', repository, '-n', '3'], { home, env: { NOISY: '1' } });
    expect({ code: full.code, stderr: full.stderr }).toEqual({ code: 0, stderr: '' });
    const verdicts = eventsOf(full.events, 'verdict');
    expect(verdicts.map(({ n, reason }) => [n, reason])).toEqual([
      [2, 'disk_full'],
      [3, 'disk_full'],
    ]);
    for (const { message } of verdicts) expect(message).toContain('The disk was full');
    expectVerdictsKept(home, [...before.events, ...full.events]);
    await finish(night, 5);
  });
}

diskTest(
  'what a training leaves in its worktree is cleaned away before the next one needs the room',
  async () => {
    const night = await prepareNight({
      home: await smallDisk(16),
      trainer: `LR=2\n[ $LR = 2 ] || head -c 30000000 /dev/urandom > checkpoint\necho "val_bpb: $LR"\n`,
      contract: contractFile(),
    });
    const { home, repository } = night;
    const { events, code } = await sitting(['run', repository, '--tag', TAG, '-n', '2'], { home });
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').map(({ reason }) => reason)).toEqual([
      ...['baseline', 'disk_full', 'disk_full'],
    ]);
    // All that it printed is there.
    expect(eventsOf(events, 'verdict').map(({ message }) => message)).not.toContainEqual(
      expect.stringContaining('256 KiB'),
    );
    await checkNight(night);
  },
);

diskTest('a resumed study first cleans away what an engine that was killed left', async () => {
  const go = join(await temporaryFolder(), 'go');
  const night = await prepareNight({
    home: await smallDisk(16),
    trainer: `LR=2\n[ $LR = 2 ] || [ -e "$GO" ] || { head -c 30000000 /dev/urandom > checkpoint; sleep 300; }\necho "val_bpb: $LR"\n`,
    contract: contractFile({ more: 'environment = ["GO"]', limitSeconds: 600 }),
  });
  const { home, repository } = night;
  // The engine is stopped, so that nothing watches the disk, before it is killed.
  const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '1'], {
    home,
    env: { ...pausingAt({ event: { type: 'run_started', n: 1 } }), GO: go },
  });
  await untilPaused(running);
  const worktree = join(home, 'worktrees', rowsOf(home).worktreeName, 'checkpoint');
  await expect.poll(() => statfs(home).then(({ bavail }) => bavail)).toBe(0);
  expect((await stat(worktree)).size).toBeGreaterThan(1_000_000);
  await running.kill();
  await writeFile(go, '');
  await finish(night, 1);
});

diskTest(
  'a disk that is full when the series is to be written ends the training and the sitting',
  async () => {
    const go = join(await temporaryFolder(), 'go');
    const night = await prepareNight({
      home: await smallDisk(8),
      trainer: `if [ -n "$GO" ]; then
  until [ -e "$GO" ]; do sleep 0.02; done
  seq 1 2000 | sed 's/.*/step & | loss: 1.5&/'
  sleep 300
fi
${FAST_TRAINER}`,
      contract: contractFile({ more: 'environment = ["GO"]', limitSeconds: 600 }),
    });
    const { home, repository } = night;
    await sitting(['run', repository, '--tag', TAG, '-n', '1'], { home });
    const running = new RunningPawl(['resume', repository, '-n', '3'], { home, env: { GO: go } });
    await running.waitFor(event => event.type === 'run_started');
    await fillDisk(home);
    await writeFile(go, '');
    expectFullDisk(await running.ended, home);
    expect(eventsOf(running.events, 'study_stopped')[0]?.reason).toBe('error');
    await freeDisk(home);
    await finish(night, 3);
  },
);

const STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'study_started' },
  { type: 'attempted', n: 0 },
  { type: 'experiment_started', n: 3 },
  { type: 'proposed', n: 3 },
  { type: 'attempted', n: 3 },
  { type: 'phase', n: 3, phase: 'training' },
  { type: 'run_started', n: 3 },
  { type: 'phase', n: 3, phase: 'measuring' },
  // Experiment 3 is a keep.
  { type: 'phase', n: 3, phase: 'deciding' },
  { type: 'verdict', n: 3 },
];

/** Runs a study, fills the disk when it is in `state`, and returns how it ended. */
async function fillIn(
  night: Night,
  disk: string,
  state: Readonly<Record<string, unknown>>,
  before = () => {},
) {
  const running = new RunningPawl(['run', night.repository, '--tag', TAG, '-n', '5'], {
    home: night.home,
    env: pausingAt({ event: state }),
  });
  await untilPaused(running);
  before();
  await fillDisk(disk);
  running.child.kill('SIGCONT');
  return { ...(await running.ended), events: running.events };
}

for (const state of STATES) {
  const words = Object.values(state).join(' ');
  diskTest(
    `a data folder that fills up at "${words}" stops the loop with a line, and loses nothing`,
    async () => {
      const night = await prepareNight({ home: await smallDisk(8) });
      const { home, repository } = night;
      const full = await fillIn(night, home, state);
      expectFullDisk(full, home);
      expectVerdictsKept(home, full.events);
      const recorded = rowsOf(home).experiments.filter(isRecorded);

      // Looking needs no space; going on does.
      const results = await pawl(['results', '--format', 'json'], { home, cwd: repository });
      expect(results.stderr).toBe('');
      expect(JSON.parse(results.stdout)).toHaveLength(recorded.length);
      // An engine that ended gave the room of its own files back.
      await fillDisk(home);
      expectFullDisk(await pawl(['resume', repository], { home, cwd: repository }), home);
      await freeDisk(home);
      expect(rowsOf(home).experiments.filter(isRecorded)).toEqual(recorded);
      await finish(night, 5);
    },
  );
}

const FILE_STATES: typeof STATES = [
  { type: 'study_started' },
  { type: 'phase', n: 0, phase: 'training' },
  { type: 'phase', n: 0, phase: 'deciding' },
  { type: 'experiment_started', n: 3 },
  { type: 'attempted', n: 3 },
  { type: 'run_started', n: 3 },
];

for (const state of FILE_STATES) {
  const words = Object.values(state).join(' ');
  diskTest(
    `files that cannot be written from "${words}" on, while the ledger can, stop the loop with a line`,
    async () => {
      const night = await prepareNight({ home: await smallDisk(8) });
      const { home } = night;
      const full = await fillIn(night, home, state, () => makeRoomInLedger(home));
      expectFullDisk(full, home);
      expectVerdictsKept(home, full.events);
      await freeDisk(home);
      await finish(night, 5);
    },
  );
}

for (const state of STATES.filter(({ type }) => type !== 'run_started')) {
  const words = Object.values(state).join(' ');
  diskTest(`a repository whose disk fills up at "${words}" stops the loop with a line`, async () => {
    const disk = await smallDisk(8);
    const night = await prepareNight({ repository: join(disk, 'repo') });
    const full = await fillIn(night, disk, state);
    expectFullDisk(full, disk);
    expectVerdictsKept(night.home, full.events);
    await freeDisk(disk);
    await finish(night, 5);
    expect(await git(night.repository, 'fsck', '--no-dangling', '--no-progress')).toBe('');
  });
}

diskTest('a study is not begun on a full disk, and can be begun once there is space', async () => {
  const night = await prepareNight({ home: await smallDisk(8) });
  const { home, repository } = night;
  await fillDisk(home);
  expectFullDisk(await pawl(['run', repository, '--tag', TAG, '-n', '1'], { home, cwd: repository }), home);
  await freeDisk(home);
  const { code } = await sitting(['run', repository, '--tag', TAG, '-n', '1'], { home });
  expect(code).toBe(0);
  await checkNight(night);
});

for (const command of [['run'], ['resume'], ['status'], ['results'], ['doctor']]) {
  test(`"pawl ${command}" with a PAWL_HOME that is a file says so in one line`, async () => {
    const night = await prepareNight();
    const file = join(night.home, 'a-file');
    await writeFile(file, 'not a folder\n');
    const { code, stdout, stderr } = await pawl(command, { home: file, cwd: night.repository });
    expect(stdout + stderr).toContain(file);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
    if (command[0] !== 'doctor') expect(stderr).toMatch(/^pawl: [^\n]*\n$/);
    expect(code).toBe(command[0] === 'doctor' ? 2 : 1);
  });
}

diskTest('a PAWL_HOME that cannot be written is named in one line', async () => {
  const night = await prepareNight();
  const disk = await smallDisk(1);
  await mkdir(join(disk, 'home'));
  await makeReadOnly(disk);
  for (const home of [join(disk, 'home'), join(disk, 'new', 'home')]) {
    const { code, stderr } = await pawl(['run', night.repository, '--tag', TAG], {
      home,
      cwd: night.repository,
    });
    expect(stderr).toMatch(/^pawl: [^\n]*\n$/);
    expect(stderr).toContain(home);
    expect(code).toBe(1);
  }
});
