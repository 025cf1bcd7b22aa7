import { expect, test } from 'vitest';
import { pawl, sitting } from './support/pawl.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';
import { openDesk, refusalOf } from './support/service.ts';
import { proposer, SHELL_FILES } from './support/trainers.ts';

const TRAINER = `touch trained
echo '---'
echo 'val_bpb: 1'
`;
const withTrainer = (trainer: string) => createRepository({ ...SHELL_FILES, 'train.sh': trainer });

test('a search that has nothing to turn is refused before anything is made or trained', async () => {
  const home = await temporaryFolder();
  const repository = await withTrainer(`NUM_WORKERS=4\n${TRAINER}`);
  const run = await sitting(['run', repository, '--tag', 'night'], { home });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toMatch(
    /^pawl: Nothing was started\. .*no constants that the search may change.*--agent, --model, --command or --patches.*\n$/,
  );
  expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  // A baseline alone asks no proposer.
  expect((await sitting(['run', repository, '-n', '0'], { home })).code).toBe(0);

  const { stdout } = await pawl(['doctor', repository, '--json'], { home });
  const checks = JSON.parse(stdout) as { name: string; outcome: string; detail: string }[];
  expect(checks.find(({ name }) => name === 'constants')).toMatchObject({
    outcome: 'warning',
    detail: expect.stringContaining('no constants'),
  });
});

test('the set-up says which constants the search has, and that it has none', async () => {
  const desk = await openDesk();
  const check = async (path: string) =>
    (await desk.calls.projects.check({ path, tag: '' })).find(({ name }) => name === 'constants');
  const some = await withTrainer(`LR=\${LR:-1}\nWIDTH=4\nNUM_WORKERS=4\n${TRAINER}`);
  expect(await check(some)).toEqual({
    name: 'constants',
    outcome: 'ok',
    detail: '1 for the search to change: WIDTH',
  });
  const none = await withTrainer(TRAINER);
  expect(await check(none)).toMatchObject({ outcome: 'warning' });
  const start = desk.calls.studies.start({
    path: none,
    tag: 'x',
    proposer: { kind: 'search', seed: 1 },
    stop: {},
  });
  expect(await refusalOf(start)).toMatchObject({
    code: 'proposer_invalid',
    message: expect.stringContaining('no constants'),
  });
  expect((await desk.calls.app.snapshot()).studies).toEqual([]);
});

test('a search beside another proposer is warned of before the baseline', async () => {
  const home = await temporaryFolder();
  const repository = await withTrainer(TRAINER);
  const { command } = await proposer("open('train.sh', 'a').write('# more\\n')\nanswer('more')");
  const args = ['run', repository, '--tag', 'night', '-n', '1', '--command', command, '--fallback'];
  const { code, events } = await sitting(args, { home });
  expect(code).toBe(0);
  const types = events.flatMap(event => (event.type === 'warning' ? [event.code] : [event.type]));
  expect(types.indexOf('constants')).toBeGreaterThan(types.indexOf('study_started'));
  expect(types.indexOf('constants')).toBeLessThan(types.indexOf('experiment_started'));
});
