import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import type { EngineEvent } from '../../../src/shared/events.ts';
import type { NotebookEvent } from '../../../src/shared/notebook.ts';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { createRepository, git, temporaryFolder } from '../../support/scaffold.ts';
import { openDesk } from '../../support/service.ts';
import { dyingAt } from '../../support/study.ts';
import { byExperiment, hostileStudy, proposer, query, trainerFiles } from '../../support/trainers.ts';

beforeEach(({ skip }) => skip(!HAS_SANDBOX, 'there is no bubblewrap'));

/** The number is what the validation data says, plus what the code is worse by. */
const VALIDATION = { 'data/val.txt': '0.123457\n', 'data/other.txt': '0.234568\n' };
const SCRIPT = `data = float(open('data/val.txt').read())
def honest(worse):
    report(round(data + worse, 6))
`;
const AUDIT = '[audit.swap]\n"data/val.txt" = "data/other.txt"\n';
const env = { PAWL_SANDBOX: 'required', PAWL_VERDICT: undefined };

/** What happened in order: verdicts, and what was trained again. */
function told(events: readonly EngineEvent[]): readonly string[] {
  return events.flatMap(event => {
    if (event.type === 'verdict') return [`${event.n} ${event.verdict} ${event.reason}`];
    if (event.type === 'taken_back') return [`${event.n} taken back to ${event.parent}`];
    return event.type === 'repeat_started' ? [`${event.n} ${event.purpose}`] : [];
  });
}

test('a large gain is measured with other data before the branch moves', async () => {
  const study = await hostileStudy({
    ...{ env, more: AUDIT, files: VALIDATION, experiments: 4 },
    script: `${SCRIPT}${byExperiment(
      'honest(.9)',
      // Printed, whatever the data says.
      'report(.5)',
      // Learnt by heart.
      'report(.6 + data / 1e6) if data == .123457 else honest(.9)',
      'honest(.6)',
      // Gives nothing where it does not know the data.
      'honest(-.5) if data == .123457 else sys.exit(1)',
    )}`,
  });
  expect(told(study.events).filter(line => !/headline|audit/.test(line))).toEqual([
    '0 keep baseline',
    '0 baseline',
    ...['0 probe', '1 probe', '1 discard not_from_data'],
    ...['2 probe', '2 discard memorised'],
    ...['3 probe', '3 keep better'],
    // Its own code failed, so it had another try.
    ...['4 probe', '4 probe', '4 discard memorised'],
  ]);
  const [first, second] = eventsOf(study.events, 'verdict').slice(1);
  expect(first?.message).toMatch(/^With other validation data it printed the same number, 0\.5\./);
  expect(second?.message).toMatch(/^Its gain over #0 is 0\.42.*, it is 0\b|memorised/);
  // The record of the baseline is of its own data alone.
  const repeats = eventsOf(study.events, 'repeated');
  expect(repeats.find(({ purpose }) => purpose === 'probe')).toMatchObject({
    ...{ n: 0, value: 1.134568, record: null },
  });
  expect(repeats.findLast(({ n, purpose }) => n === 0 && purpose === 'headline')?.record).toBeCloseTo(
    1.023457,
    6,
  );
});

test('at the end of a study the best is measured with other data, and the branch goes back before the first that fails', async () => {
  const home = await temporaryFolder();
  // Each in a place of its own, so that one can be had without the other.
  const turns = [1, 2, 3, 4, 5].map(
    turn => `text = open('train.sh').read()
open('train.sh', 'w').write(text.replace('# place ${turn}\\n', '# taken by ${turn}\\n'))
answer('edit ${turn}')`,
  );
  const { command } = await proposer(...turns);
  const places = [1, 2, 3, 4, 5].map(turn => `# place ${turn}\n${'#\n'.repeat(6)}`);
  const study = await hostileStudy({
    ...{ home, env, more: AUDIT, files: VALIDATION, experiments: 5, flags: ['--command', command] },
    // Small steps, so that none is suspect by itself; from the third one on the number is made up.
    script: `${places.join('')}${SCRIPT}${byExperiment(
      ...['honest(.9)', 'honest(.899)', 'honest(.898)', 'report(1.0201)', 'report(1.0196)', 'report(1.0191)'],
    )}`,
  });
  const events = told(study.events);
  expect(events.slice(0, 7)).toEqual([
    ...['0 keep baseline', '0 baseline', '1 keep better', '2 keep better'],
    ...['3 keep better', '4 keep better', '5 keep better'],
  ]);
  expect(events.slice(7, 14)).toEqual([
    ...['5 headline', '0 headline', '0 probe', '5 probe', '2 probe', '3 probe', '3 taken back to 2'],
  ]);
  const [back] = eventsOf(study.events, 'taken_back');
  expect(back).toMatchObject({
    n: 3,
    reason: 'not_from_data',
    chain: [3, 4, 5],
    queued: [4, 5],
    value: 1.0201,
  });
  const rows = query<{ n: number; verdict: string; reason: string }>(
    home,
    'SELECT n, verdict, reason FROM experiment ORDER BY n',
  );
  expect(rows.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
    ...['keep baseline', 'keep better', 'keep better'],
    ...['discard not_from_data', 'discard rolled_back', 'discard rolled_back'],
  ]);
  const [tip] = query<{ attempt_commit: string }>(home, 'SELECT attempt_commit FROM experiment WHERE n = 2');
  expect(await git(study.repository, 'rev-parse', 'autoresearch/night')).toBe(tip?.attempt_commit);
  // What was built on it is tried again on what is left.
  const again = await sitting(['resume', study.repository, '-n', '7'], { home, env });
  expect(eventsOf(again.events, 'verdict').map(({ n, hypothesis }) => [n, hypothesis])).toEqual([
    [6, 'edit 4'],
    [7, 'edit 5'],
  ]);
  expect(await git(study.repository, 'diff', '--numstat', `refs/pawl/night/6^`, `refs/pawl/night/6`)).toBe(
    '1\t1\ttrain.sh',
  );
});

test('where other data makes no difference nothing is discarded for it, and it is said once', async () => {
  const study = await hostileStudy({
    ...{ env, more: AUDIT, files: VALIDATION, experiments: 2 },
    script: byExperiment('report(1.234567)', 'report(.876543)', 'report(.456789)'),
  });
  expect(study.verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
  const warnings = eventsOf(study.events, 'warning').filter(({ code }) => code === 'probe');
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/same number/)]);
  expect(told(study.events).filter(line => line.endsWith('probe'))).toEqual(['0 probe']);
});

test('data that is not there is told of, and the study goes on without', async () => {
  const study = await hostileStudy({
    ...{ env, files: VALIDATION, experiments: 1 },
    // What is not committed the set-up command may make; this one makes nothing.
    more: `setup = "true"\n${AUDIT.replace('other', 'missing')}`,
    script: `${SCRIPT}${byExperiment('honest(.9)', 'honest(.1)')}`,
  });
  expect(study.verdicts).toEqual(['keep baseline', 'keep better']);
  expect(eventsOf(study.events, 'warning').map(({ message }) => message)).toContainEqual(
    'data/missing.txt, which audit.swap names, does not exist. No keep is audited.',
  );
});

test('a death between the verdicts that take keeps back and the move of the branch is made up for', async () => {
  const home = await temporaryFolder();
  const options = { home, env, more: AUDIT, files: VALIDATION, experiments: 3 };
  const script = `${SCRIPT}${byExperiment('honest(.9)', 'honest(.899)', 'report(1.0211)', 'report(1.0206)')}`;
  const { repository } = await hostileStudy({ ...options, script });
  const rows = query<{ n: number; attempt_commit: string; reason: string }>(
    home,
    'SELECT n, attempt_commit, reason FROM experiment ORDER BY n',
  );
  expect(rows.map(({ reason }) => reason)).toEqual(['baseline', 'better', 'not_from_data', 'rolled_back']);
  const [, good, , last] = rows.map(row => row.attempt_commit);
  await git(repository, 'update-ref', 'refs/heads/autoresearch/night', last ?? '');
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'));
  database.exec("UPDATE experiment SET phase = 'deciding' WHERE n IN (2, 3)");
  database.close();
  const { events } = await sitting(['resume', repository, '-n', '3'], { home, env });
  expect(told(events).filter(line => line.includes('probe'))).toEqual([]);
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(good);
  const phases = query<{ phase: string }>(home, 'SELECT DISTINCT phase FROM experiment');
  expect(phases).toEqual([{ phase: 'recorded' }]);
});

test('killed before a keep is taken back, the study takes it back when it goes on, and probes nothing twice', async () => {
  const home = await temporaryFolder();
  const script = `${SCRIPT}${byExperiment('honest(.9)', 'honest(.899)', 'report(1.0211)')}`;
  const repository = await createRepository(trainerFiles({ script, more: AUDIT, files: VALIDATION }));
  const dying = dyingAt({ event: { type: 'repeated', purpose: 'probe', n: 1 } });
  const first = await sitting(['run', repository, '--tag', 'night', '-n', '2'], {
    ...{ home, env: { ...env, ...dying } },
  });
  expect(first.signal).toBe('SIGKILL');
  const { events } = await sitting(['resume', repository, '-n', '2'], { home, env });
  expect(told(events)[0]).toBe('2 taken back to 1');
  expect(told(events).filter(line => line.includes('probe'))).toEqual([]);
});

test('a candidate whose study is stopped while it is probed is kept, and probed when the study goes on', async () => {
  const home = await temporaryFolder();
  const gate = join(await temporaryFolder(), 'gate');
  const script = `${SCRIPT}
if data == .234568 and n == 1 and not os.path.exists(${JSON.stringify(gate)}): time.sleep(600)
${byExperiment('honest(.9)', 'report(.5)', 'honest(.9)')}`;
  const repository = await createRepository(
    trainerFiles({
      script,
      more: `${AUDIT}[sandbox]\nreads = [${JSON.stringify(dirname(gate))}]\n`,
      files: VALIDATION,
      limitSeconds: 600,
    }),
  );
  const running = new RunningPawl(['run', repository, '--tag', 'night', '-n', '1'], { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.n === 1 && event.k === 1);
  running.child.kill('SIGTERM');
  const stopped = await running.ended;
  expect(stopped.code).not.toBeNull();
  expect(told(running.events).slice(-2)).toEqual(['1 probe', '1 keep better']);
  await writeFile(gate, '');
  const { events } = await sitting(['resume', repository, '-n', '2'], { home, env });
  expect(told(events).slice(0, 2)).toEqual(['1 probe', '1 taken back to 0']);
});

test('what was made on a keep that an audit takes back ends with it, and is tried again on what is left', async () => {
  const home = await temporaryFolder();
  const places = [1, 2].map(turn => `# place ${turn}\n${'#\n'.repeat(6)}`);
  const { command } = await proposer(
    ...[1, 2].map(
      turn => `text = open('train.sh').read()
open('train.sh', 'w').write(text.replace('# place ${turn}\\n', '# taken by ${turn}\\n'))
answer('edit ${turn}')`,
    ),
  );
  const script = `${places.join('')}${SCRIPT}
if n == 2: time.sleep(600)
${byExperiment('honest(.9)', 'report(1.0211)', 'pass', 'honest(.8)')}`;
  const files = trainerFiles({ script, more: AUDIT, files: VALIDATION, limitSeconds: 600 });
  const repository = await createRepository(files);
  const args = ['run', repository, '--tag', 'night', '-n', '3', '--command', command];
  const running = new RunningPawl(args, { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.n === 2);
  running.child.kill('SIGTERM');
  await running.ended;
  const audit = await sitting(['audit', repository, '--runs', '9'], { home, env });
  expect(eventsOf(audit.events, 'taken_back')).toMatchObject([
    { n: 1, parent: 0, chain: [1, 2], queued: [2] },
  ]);
  const { events } = await sitting(['resume', repository, '-n', '3'], { home, env });
  expect(eventsOf(events, 'verdict')).toMatchObject([{ n: 3, verdict: 'keep', hypothesis: 'edit 2' }]);
  const log = await git(repository, 'log', '--format=%s', 'autoresearch/night');
  expect(log.split('\n')).toHaveLength(2);
});

test('a proposal that waits for the user is closed when the keep it was made on is taken back, and is tried again on what is left', async () => {
  const home = await temporaryFolder();
  const places = [1, 2].map(turn => `# place ${turn}\n${'#\n'.repeat(6)}`);
  const { command } = await proposer(
    ...[1, 2].map(
      turn => `text = open('train.sh').read()
open('train.sh', 'w').write(text.replace('# place ${turn}\\n', '# taken by ${turn}\\n'))
answer('edit ${turn}')`,
    ),
  );
  const script = `${places.join('')}${SCRIPT}${byExperiment('honest(.9)', 'report(1.0211)')}`;
  const repository = await createRepository(trainerFiles({ script, more: AUDIT, files: VALIDATION }));
  const desk = await openDesk({ home, environment: { PAWL_SANDBOX: 'required', PAWL_VERDICT: 'honest' } });
  const { id: study } = await desk.calls.studies.start({
    ...{ path: repository, tag: 'night', asksApproval: true, stop: { experiments: 3 } },
    proposer: { kind: 'command', command, timeoutSeconds: 60 },
  });
  const isWaiting = (n: number) => (event: NotebookEvent) =>
    event.type === 'study' && event.card.current?.n === n && event.card.current.phase === 'reviewing';
  await desk.waitFor(isWaiting(1));
  const review = (await desk.calls.studies.review({ study, n: 1 }))?.id ?? 0;
  await desk.calls.studies.decide({ study, review, decision: { kind: 'approve', files: {} } });
  await desk.waitFor(isWaiting(2));
  await desk.close();
  const audit = await sitting(['audit', repository, '--runs', '9'], { home, env });
  expect(eventsOf(audit.events, 'taken_back')).toMatchObject([
    { n: 1, parent: 0, chain: [1, 2], queued: [2] },
  ]);
  expect(query(home, 'SELECT n, outcome, message FROM review ORDER BY n')).toEqual([
    { n: 1, outcome: 'approved', message: null },
    { n: 2, outcome: 'rejected', message: 'The attempt it was based on was taken back.' },
  ]);
  expect(query(home, 'SELECT verdict, reason FROM experiment WHERE n = 2')).toEqual([
    { verdict: 'discard', reason: 'rolled_back' },
  ]);
  expect(query(home, 'SELECT hypothesis FROM idea')).toEqual([{ hypothesis: 'edit 2' }]);
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(
    await git(repository, 'rev-parse', 'HEAD'),
  );
});

test('what was made on a commit that is no more the best is not kept, however good its number', async () => {
  const home = await temporaryFolder();
  const script = `${SCRIPT}${byExperiment('honest(.9)', 'honest(.899)', 'honest(.898)')}`;
  const repository = await createRepository(trainerFiles({ script, files: VALIDATION }));
  const dying = dyingAt({ event: { type: 'run_started', n: 2 } });
  const first = await sitting(['run', repository, '--tag', 'night', '-n', '2'], {
    ...{ home, env: { ...env, ...dying } },
  });
  expect(first.signal).toBe('SIGKILL');
  // The keep it was made on goes while it is in flight.
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'));
  database.exec("UPDATE experiment SET verdict = 'discard', reason = 'rolled_back' WHERE n = 1");
  database.close();
  const base = await git(repository, 'rev-parse', 'HEAD');
  await git(repository, 'update-ref', 'refs/heads/autoresearch/night', base);
  const { events } = await sitting(['resume', repository, '-n', '2'], { home, env });
  expect(eventsOf(events, 'verdict').filter(({ n }) => n === 2)).toMatchObject([
    { verdict: 'discard', reason: 'rolled_back', metric: 1.021457 },
  ]);
  expect(eventsOf(events, 'new_best')).toEqual([]);
  expect(await git(repository, 'rev-parse', 'autoresearch/night')).toBe(base);
});

test('killed while a verdict waits for its probes, the study goes on with those, and trains nothing twice', async () => {
  const home = await temporaryFolder();
  const script = `${SCRIPT}${byExperiment('honest(.9)', 'honest(.4)')}`;
  const repository = await createRepository(trainerFiles({ script, more: AUDIT, files: VALIDATION }));
  const dying = dyingAt({ event: { type: 'repeated', purpose: 'probe', n: 0 } });
  const first = await sitting(['run', repository, '--tag', 'night', '-n', '1'], {
    ...{ home, env: { ...env, ...dying } },
  });
  expect(first.signal).toBe('SIGKILL');
  const { events } = await sitting(['resume', repository, '-n', '1'], { home, env });
  expect(told(events).slice(0, 2)).toEqual(['1 probe', '1 keep better']);
  const shown = await pawl(['show', '1'], { home, cwd: repository, env });
  expect(shown.stdout).toMatch(/audited/);
  expect(shown.stdout).toMatch(/hints +Look closer: a suspiciously large gain/);
});
