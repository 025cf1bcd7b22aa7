import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventsOf, sitting } from '../../support/pawl.ts';
import {
  constantsRepository,
  lowerRate,
  proposing,
  raiseRate,
  readCommitted,
  runStudy,
  userWithGitConfig,
} from '../../support/repositories.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  fastRepository,
  git,
  temporaryFolder,
} from '../../support/scaffold.ts';

// What an agent may do with git in the worktree

/** Writes a line down for each call of a command proposer; `wc -l` of the file is the number of calls. */
const countCalls = 'echo >> "$HOME/calls"';

test.each([
  ['commits its edit', `${raiseRate()} && git -c user.name=a -c user.email=a@b commit -qam agent`],
  [
    'commits half of its edit',
    `${raiseRate()} && git -c user.name=a -c user.email=a@b commit -qam agent && sed -i 's/^DEPTH=4/DEPTH=6/' train.sh`,
  ],
  ['stages a locked file away', `${raiseRate()} && git rm --quiet --cached prepare.sh`],
  [
    'stages another content of a locked file',
    `${raiseRate()} && b=$(echo x | git hash-object -w --stdin) &&
    git update-index --cacheinfo "100644,$b,prepare.sh" && git update-index --skip-worktree prepare.sh`,
  ],
  ['hides its edit from git', `git update-index --assume-unchanged train.sh && ${raiseRate()}`],
  [
    'stashes before it edits',
    `echo x >> train.sh && git -c user.name=a -c user.email=a@b stash -q && git stash drop -q && ${raiseRate()}`,
  ],
])('an attempt is the edit on the incumbent when the agent %s', async (_, script) => {
  const repository = await fastRepository();
  await runStudy(repository, {
    // An agent that is asked for ever fails in the end, so that the test does too.
    args: proposing(`${countCalls} && [ $(wc -l < "$HOME/calls") -le 10 ] || exit 1\n${script}`),
    env: { HOME: await temporaryFolder() },
  });
  const attempt = await readCommitted(repository, 'refs/pawl/night/1', 'train.sh');
  expect(attempt).toMatch(/^LR=8$/m);
});

test('edits of which git would store nothing are refused, and the fifth in a row ends the sitting', async () => {
  const repository = await constantsRepository({ '.gitattributes': 'constants.txt filter=fixed\n' });
  const { env, folder } = await userWithGitConfig(
    `[filter "fixed"]\n\tclean = "printf 'LR=2\\\\nDEPTH=4\\\\nWIDTH=16\\\\n'"\n\tsmudge = cat\n`,
  );
  const home = await temporaryFolder();
  const script = `${countCalls}; n=$(wc -l < "$HOME/calls"); [ $n -le 10 ] || exit 1; sed -i "s/^LR=.*/LR=1$n/" constants.txt`;
  const { code, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home, env },
  );
  expect(code).toBe(1);
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(Array(5).fill('no_change'));
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'proposer', finished: 1 });
  expect((await readFile(join(folder, 'calls'), 'utf8')).length).toBe(5);
});

test('a discard moves nothing when the agent has switched to the branch of the study', async () => {
  const repository = await fastRepository();
  await runStudy(repository, {
    args: proposing(`git checkout -q autoresearch/night && ${lowerRate()}`),
  });
});

test("the user's branch stays when the agent has switched to it", async () => {
  const repository = await fastRepository();
  await git(repository, 'checkout', '--quiet', '--detach');
  await runStudy(repository, { args: proposing(`git checkout -q main && ${raiseRate()}`) });
});

test('a training that switches to the branch of the study moves nothing', async () => {
  const repository = await createRepository({
    'train.sh': FAST_TRAINER,
    'pawl.toml': contractFile({ train: 'git checkout -q -f autoresearch/night && sh train.sh' }),
  });
  // The baseline's training switches, the first attempt is committed after that, and is worse.
  await runStudy(repository, { args: proposing(lowerRate()) });
});

test('a proposal that makes a repository in the worktree is refused and the study goes on', async () => {
  const repository = await fastRepository();
  const home = await temporaryFolder();
  const script = `n=$(cat "$HOME/n" 2>/dev/null); echo 1 >> "$HOME/n"
    if [ -z "$n" ]; then git init -q nested && echo x > nested/x; else ${raiseRate()}; fi`;
  const { code, stderr, events } = await sitting(
    ['run', repository, '--tag', 'night', '-n', '1', ...proposing(script)],
    { home, env: { HOME: await temporaryFolder() } },
  );
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(['not_editable']);
  expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual(['keep', 'keep']);
});
