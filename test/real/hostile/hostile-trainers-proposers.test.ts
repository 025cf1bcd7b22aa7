import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { killIfThere, lives } from '../../support/processes.ts';
import { contractFile, createRepository, git, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import {
  asked,
  byExperiment,
  GOOD_TURN,
  hostileStudy,
  LONGER_IS_BETTER,
  proposer,
  query,
  SHELL_FILES,
  TAG,
} from '../../support/trainers.ts';

test('a proposal that breaks a rule is refused with its reason, and the next one is asked for', async () => {
  const { command, folder } = await proposer(
    'time.sleep(600)',
    "print('x' * 10_000_000)",
    "edit()\nprint('Sure! I made the change.')",
    "edit()\nprint('no model', file=sys.stderr)\nsys.exit(1)",
    GOOD_TURN,
    "edit()\nprint(json.dumps({'rationale': 'because'}))",
    "edit()\nopen('prepare.sh', 'a').write('# easier')\nanswer()",
    "edit()\nopen('extra.sh', 'w').write('x')\nanswer()",
    "os.symlink('prepare.sh', 'alias')\nopen('alias', 'a').write('# easier')\nanswer()",
    GOOD_TURN,
    "os.remove('train.sh')\nos.symlink('/etc/passwd', 'train.sh')\nanswer()",
    "edit()\nopen('pawl.toml', 'a').write('# more')\nanswer()",
    'answer()',
    "open('train.sh', 'w').write(request['instructions'] or open(here + '/first').read())\nanswer()",
    GOOD_TURN,
    "os.remove('train.sh')\nos.mkdir('train.sh')\nopen('train.sh/x', 'w').close()\nanswer()",
    "edit()\nsh('git init -q nested; cd nested; echo > f; git add f')\nanswer()",
    "edit()\nos.mkdir('.Git')\nopen('.Git/config', 'w').close()\nanswer()",
    GOOD_TURN,
  );
  await writeFiles(folder, { first: LONGER_IS_BETTER });
  const { events, verdicts, home } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 4,
    flags: ['--command', command, '--proposer-timeout', '8'],
  });
  expect(verdicts).toEqual(['keep baseline', ...Array(4).fill('keep better')]);
  const refused = eventsOf(events, 'refused');
  expect(refused.map(({ n, reason, message }) => `${n} ${reason}: ${message}`)).toEqual([
    '1 proposer_failed: The command took longer than 8 s.',
    '1 proposer_failed: The command printed more than 1048576 bytes.',
    '1 proposer_failed: The last line of the command\'s output is not JSON like {"hypothesis": "Lower the learning rate"}: Sure! I made the change.',
    '1 proposer_failed: The command ended with 1: no model',
    expect.stringMatching(/^2 proposer_failed: The command's answer is not valid: hypothesis: /),
    '2 not_editable: The edit touches what the contract does not call editable: prepare.sh.',
    '2 not_editable: The edit touches what the contract does not call editable: extra.sh.',
    '2 not_editable: The edit touches what the contract does not call editable: alias, prepare.sh.',
    '3 not_a_file: Only plain files may be edited: train.sh.',
    '3 not_editable: The edit touches what the contract does not call editable: pawl.toml.',
    '3 no_change: The edit changes nothing.',
    '3 duplicate: The same files were already tried in experiment 0.',
    '4 not_editable: The edit touches what the contract does not call editable: train.sh/x.',
    expect.stringContaining(
      '4 not_editable: The edit touches what the contract does not call editable: nested/',
    ),
    expect.stringContaining(
      '4 not_editable: The edit touches what the contract does not call editable: .Git/config',
    ),
  ]);
  expect(query(home, 'SELECT n FROM refusal')).toHaveLength(15);
  // It is told what was refused, of this experiment only.
  expect((await asked(folder, 4)).refused).toHaveLength(4);
  expect((await asked(folder, 8)).refused.map(entry => entry.reason)).toEqual([
    'proposer_failed',
    'not_editable',
    'not_editable',
  ]);
});

test('five refusals in a row end the study with the last reason', async () => {
  const { command } = await proposer(...Array(9).fill("print('nothing')"));
  const { events, code } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 4,
    flags: ['--command', command],
  });
  expect(code).toBe(1);
  expect(eventsOf(events, 'refused')).toHaveLength(5);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'proposer', finished: 1 });
});

test('neither the contract nor git can be edited, even where the pattern allows everything', async () => {
  const { command } = await proposer(
    "edit()\nopen('pawl.toml', 'a').write('# more')\nanswer()",
    "edit()\nos.makedirs('sub/.git/hooks')\nopen('sub/.git/hooks/pre-commit', 'w').close()\nanswer()",
    "edit()\nos.symlink('/etc/passwd', 'link')\nanswer()",
    GOOD_TURN,
  );
  const { events, verdicts } = await hostileStudy({
    repository: await createRepository({
      ...SHELL_FILES,
      'pawl.toml': contractFile().replace('["train.sh"]', '["**"]'),
    }),
    script: '',
    experiments: 1,
    flags: ['--command', command],
  });
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual([
    'not_editable',
    'not_editable',
    'not_a_file',
  ]);
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});

test.each([
  ['with the pipe to Pawl', 'sleep 600 & echo $! > PIDS'],
  ['in a session of its own', 'setsid sh -c "echo \\$\\$ > PIDS; exec sleep 600" >/dev/null 2>&1 &'],
  [
    'in a session and with an environment of its own',
    'env -i setsid sh -c "echo \\$\\$ > PIDS; exec sleep 600" >/dev/null 2>&1 & sleep 3',
  ],
])('a process a proposer leaves behind %s costs no time and is gone before the training', async (_, line) => {
  const pids = join(await temporaryFolder(), 'pids');
  const { command } = await proposer(
    `edit()\nanswer()\nsubprocess.Popen(['sh', '-c', ${JSON.stringify(line.replaceAll('PIDS', pids))}]).wait()\nwhile not os.path.exists(${JSON.stringify(pids)}) or not open(${JSON.stringify(pids)}).read(): time.sleep(0.01)`,
  );
  const { events, verdicts } = await hostileStudy({
    repository: await createRepository({
      ...SHELL_FILES,
      'train.sh': `${LONGER_IS_BETTER}[ -e ${pids} ] && grep -qs '^State:.[^ZX]' /proc/$(cat ${pids})/status && exit 8 || true\n`,
    }),
    script: '',
    experiments: 1,
    flags: ['--command', command, '--proposer-timeout', '20'],
  });
  const pid = Number(await readFile(pids, 'utf8'));
  const isAlive = await lives(pid);
  killIfThere(pid);
  expect(eventsOf(events, 'refused')).toEqual([]);
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
  expect(isAlive).toBe(false);
});

test('ignored files a proposer plants are gone before the training', async () => {
  const { command } = await proposer(
    "edit()\nos.mkdir('__pycache__')\nopen('__pycache__/x.pyc', 'w').close()\nanswer()",
    "edit()\nos.makedirs(b'__pycache__/\\xff')\nopen(b'__pycache__/\\xff/x.pyc', 'w').close()\nanswer()",
  );
  const { events, verdicts } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 2,
    flags: ['--command', command],
  });
  expect(eventsOf(events, 'refused')).toEqual([]);
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
});

const IDENTITY = '-c user.name=a -c user.email=b';

test.each([
  ['commits it itself', `edit()\nsh('git ${IDENTITY} commit -qam mine')`],
  ['commits it itself and goes on', `edit()\nsh('git ${IDENTITY} commit -qam mine')\nedit()`],
  ['stages it', "edit()\nsh('git add -A')"],
  ["works on the study's branch", `sh('git checkout -q autoresearch/${TAG}')\nedit()`],
  ['works on another branch', "sh('git checkout -q mine')\nedit()"],
  ["makes HEAD follow the user's branch", "sh('git symbolic-ref HEAD refs/heads/main')\nedit()"],
  [
    'hides another content of a locked file in the index',
    "edit()\nsh('git update-index --cacheinfo 100644,$(echo easier | git hash-object -w --stdin),prepare.sh; git update-index --skip-worktree prepare.sh')",
  ],
  [
    'puts a folder with hooks in the place of .git',
    "edit()\nos.remove('.git')\nos.makedirs('.git/hooks')\nopen('.git/hooks/post-commit', 'w').write('#!/bin/sh\\ntouch ' + here + '/hook')\nos.chmod('.git/hooks/post-commit', 0o755)",
  ],
  ['leaves a lock behind', "edit()\nsh('touch $(git rev-parse --git-dir)/index.lock')"],
])('a proposer that %s moves nothing but its own attempt', async (_, body) => {
  // The third experiment is a discard: nothing of it may stay on a branch. A refused turn has a good one behind it.
  const worse = `if request['experiment'] == 3: open('train.sh', 'a').write('echo val_bpb: 5\\n')\n`;
  const turns = [`${body}\n${worse}answer()`, `${worse}${GOOD_TURN}`];
  const { command, folder } = await proposer(...turns, ...turns, ...turns);
  const repository = await createRepository(SHELL_FILES);
  await git(repository, 'branch', 'mine');
  const { verdicts } = await hostileStudy({
    repository,
    script: '',
    experiments: 3,
    flags: ['--command', command],
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better', 'discard worse']);
  expect(existsSync(join(folder, 'hook'))).toBe(false);
});

test("a proposer that moves the study's branch itself ends the sitting with a message", async () => {
  const { command } = await proposer(
    `sh('git checkout -q autoresearch/${TAG}')\nedit()\nsh('git ${IDENTITY} commit -qam mine')\nedit()\nanswer()`,
  );
  const repository = await createRepository(SHELL_FILES);
  const home = await temporaryFolder();
  const args = ['run', repository, '--tag', TAG, '-n', '1', '--command', command];
  const { events, code } = await sitting(args, { home });
  expect(code).toBe(1);
  const [stopped] = eventsOf(events, 'study_stopped');
  expect(stopped?.reason).toBe('error');
  expect(stopped?.detail).toContain('somebody moved it');
  // Its own attempt stands where it should all the same.
  expect(await git(repository, 'rev-parse', `refs/pawl/${TAG}/1^`)).toBe(
    await git(repository, 'rev-parse', `refs/pawl/${TAG}/0`),
  );
});

test.each([
  ['are hidden from git', "sh('git update-index --assume-unchanged train.sh')\nedit()\nanswer()"],
  ['are committed by itself', `edit()\nsh('git ${IDENTITY} commit -qam mine')\nanswer()`],
])('a proposer whose edits %s is not asked for ever', async (_, body) => {
  const { command } = await proposer(
    ...Array(12).fill(body),
    'sys.exit(1)',
    'sys.exit(1)',
    'sys.exit(1)',
    'sys.exit(1)',
    'sys.exit(1)',
  );
  const { verdicts, events } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 2,
    flags: ['--command', command],
  });
  // Either the edits count, because they are in the files, or the fifth refusal in a row ends it.
  const refused = eventsOf(events, 'refused').length;
  if (refused > 0) expect(refused).toBe(5);
  else expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
});

test('a proposer does not run git in a repository the training planted', async () => {
  const traps = await temporaryFolder();
  const marker = join(traps, 'ran');
  await git(traps, 'init', '--quiet', 'evil');
  await git(join(traps, 'evil'), 'config', 'core.fsmonitor', `touch ${marker}; false`);
  const { command } = await proposer(`sh('git status > ' + here + '/status')\n${GOOD_TURN}`);
  const { verdicts } = await hostileStudy({
    experiments: 1,
    flags: ['--command', command],
    script: byExperiment(
      `os.remove('.git')\nopen('.git', 'w').write('gitdir: ${traps}/evil/.git\\n')\nreport(0.9)`,
      'report(0.8)',
    ),
  });
  expect(existsSync(marker)).toBe(false);
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});
