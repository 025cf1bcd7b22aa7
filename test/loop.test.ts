import { expect, test } from 'vitest';
import { checkInvariants } from './support/invariants.ts';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { fastRepository, git, snapshotUserState, temporaryFolder } from './support/scaffold.ts';

test('a study ratchets its branch to better attempts and keeps every attempt', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const { code, events } = await sitting(['run', repository, '--tag', 'night', '-n', '12'], { home });
  expect(code).toBe(0);
  const verdicts = eventsOf(events, 'verdict');
  expect(verdicts.map(event => event.n)).toEqual([...Array(13).keys()]);
  expect(verdicts[0]).toMatchObject({ verdict: 'keep', reason: 'baseline', metric: 1.0648 });
  expect(new Set(verdicts.map(event => event.verdict))).toEqual(new Set(['keep', 'discard']));
  const best = Math.min(...verdicts.map(event => event.metric ?? Number.POSITIVE_INFINITY));
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', best });
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
  const refs = await git(repository, 'for-each-ref', 'refs/pawl/night', '--format=%(refname)');
  expect(refs.split('\n')).toHaveLength(13);
});

test('a stopped study goes on where it was', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  await sitting(['run', repository, '--tag', 'night', '-n', '3'], { home });
  const { events, code } = await sitting(['resume', repository, '-n', '6'], { home });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict').map(event => event.n)).toEqual([4, 5, 6]);
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});

test('two sittings of the search choose what one sitting would have chosen', async () => {
  const repository = await fastRepository();
  const [once, twice] = [await temporaryFolder(), await temporaryFolder()];
  await sitting(['run', repository, '--tag', 'once', '-n', '8'], { home: once });
  await sitting(['run', repository, '--tag', 'twice', '-n', '3'], { home: twice });
  await sitting(['resume', repository, '--tag', 'twice', '-n', '8'], { home: twice });
  const hypotheses = async (home: string) => {
    const { stdout } = await pawl(['results', '--format', 'json'], { home, cwd: repository });
    return (JSON.parse(stdout) as { hypothesis: string }[]).map(row => row.hypothesis);
  };
  expect(await hypotheses(twice)).toEqual(await hypotheses(once));
});

test('an edit that crashed and was mended is not tried again', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  const userState = await snapshotUserState(repository);
  const command = `case "$(cat)" in
*'"kind":"repair"'*) sed -i 's/^LR=.*/LR=3/' train.sh; echo '{"hypothesis": "mend it"}' ;;
*) sed -i 's/^LR=.*/LR=oops(/' train.sh; echo '{"hypothesis": "break it"}' ;;
esac`;
  const { code, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '2', '--command', command],
    { home },
  );
  expect(code).toBe(1);
  expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual(['keep', 'keep']);
  const refused = eventsOf(events, 'refused');
  expect(refused.map(event => event.reason)).toEqual(Array(5).fill('duplicate'));
  expect(refused[0]?.message).toContain('experiment 1');
  await checkInvariants({ repository, home, tag: 'night', userState, editable: ['train.sh'] });
});
