import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventsOf } from '../../support/pawl.ts';
import { createRepository, git, temporaryFolder } from '../../support/scaffold.ts';
import { byExperiment, hostileStudy, TAG, trainerFiles } from '../../support/trainers.ts';

/** Python: 0.9 where nothing but the attempt lies in the worktree, else 99 and the names. */
const INSPECT = `import hashlib
expected = {'train.sh', 'prepare.sh', 'README.md', 'pawl.toml', '.git'}
found = set(os.listdir('.'))
clean = found == expected and open('prepare.sh').read() == 'echo fixed\\n' and open('README.md').read() == 'A test.\\n'
clean = clean and not any(os.path.islink(name) for name in found) and os.path.isfile('.git')
print(sorted(ascii(name) for name in found ^ expected))
report(0.9 if clean else 99)`;

test('a locked file that was touched voids the run, and the next one starts clean', async () => {
  const { verdicts, metrics, messages } = await hostileStudy({
    experiments: 11,
    script: byExperiment(
      INSPECT,
      "open('prepare.sh', 'a').write('# easier')\nreport(0.1)",
      // Same length and time: only the content tells.
      `before = os.stat('README.md')
open('README.md', 'r+').write('a')
os.utime('README.md', ns=(before.st_atime_ns, before.st_mtime_ns))
report(0.1)`,
      INSPECT,
      "os.remove('prepare.sh')\nreport(0.1)",
      "os.rename('prepare.sh', 'old.sh')\nos.symlink('old.sh', 'prepare.sh')\nreport(0.1)",
      INSPECT,
      "open('new.sh', 'w').write('echo easier')\nos.rename('new.sh', 'prepare.sh')\nreport(0.1)",
      "os.chmod('prepare.sh', 0o755)\nreport(0.1)",
      "open('pawl.toml', 'a').write('# more')\nreport(0.1)",
      "os.remove('README.md')\nos.mkfifo('README.md')\nos.remove('prepare.sh')\nos.mkdir('prepare.sh')\nreport(0.1)",
      INSPECT,
    ),
  });
  const touched = 'crash locked_file_touched';
  expect(verdicts).toEqual([
    ...['keep baseline', touched, touched, 'discard equal', touched, touched],
    ...['discard equal', touched, touched, touched, touched, 'discard equal'],
  ]);
  expect(metrics).toEqual([0.9, null, null, 0.9, null, null, 0.9, null, null, null, null, 0.9]);
  expect(messages[1]).toBe('The training changed locked files: prepare.sh. Its numbers do not count.');
  expect(messages[10]).toContain('README.md, prepare.sh');
});

test('whatever a run leaves lying about, the next one does not see', async () => {
  const { verdicts, events } = await hostileStudy({
    experiments: 5,
    script: byExperiment(
      INSPECT,
      String.raw`os.makedirs('a/b/c')
os.makedirs('empty/er')
open('a/b/c/file', 'w').close()
for name in (b'new\nline', b'no\xfftext', b'--force', b' ', b'*', b'a\\b', b'"', b':(top)x'):
    open(name, 'w').write('x')
os.makedirs(b'no\xfffolder/\xfe')
open(b'no\xfffolder/\xfe/in', 'w').close()
open('readonly', 'w').close()
os.chmod('readonly', 0o000)
os.makedirs('locked/in')
open('locked/in/file', 'w').close()
os.chmod('locked/in', 0o555)
os.chmod('locked', 0o000)
os.symlink(os.path.expanduser('~'), 'home')
os.symlink('loop', 'loop')
os.symlink('/nowhere', 'dangling')
os.mkfifo('fifo')
socket.socket(socket.AF_UNIX).bind('socket')
report(1)`,
      INSPECT,
      String.raw`subprocess.run('git init -q nested && cd nested && echo 1 > f && git add f && git -c user.name=a -c user.email=b commit -qm x', shell=True, check=True)
open('.gitignore', 'w').write('*\n')
open('.gitattributes', 'w').write('* filter=evil\n')
os.mkdir('__pycache__')
open('__pycache__/prepare.pyc', 'wb').write(b'\0')
open('train.sh', 'w').write('import sys; sys.exit(9)')
report(1)`,
      `assert open('train.sh').read().startswith('import os')\n${INSPECT}`,
      "import shutil\nshutil.rmtree(os.getcwd())\nos.chdir('/')\nreport(0.1)",
    ),
  });
  expect(verdicts).toEqual([
    ...['keep baseline', 'discard worse', 'discard equal'],
    ...['discard worse', 'discard equal', 'crash locked_file_touched'],
  ]);
  expect(eventsOf(events, 'study_stopped')[0]?.reason).toBe('experiments');
});

test.each([
  [
    'a folder no one may read',
    "os.makedirs('secret/in')\nopen('secret/in/file', 'w').close()\nos.chmod('secret', 0o000)",
  ],
  ['a file no one may read', "open('secret', 'w').close()\nos.chmod('secret', 0o000)"],
  [
    'a folder no one may write',
    "os.makedirs('fixed/in')\nopen('fixed/in/file', 'w').close()\nos.chmod('fixed/in', 0o555)\nos.chmod('fixed', 0o555)",
  ],
  ['a worktree no one may write', "open('own', 'w').close()\nos.chmod('.', 0o555)"],
])('%s that a run leaves is gone for the next one', async (_, body) => {
  const { verdicts } = await hostileStudy({
    isBoundByRights: true,
    experiments: 2,
    script: byExperiment(INSPECT, `${body}\nreport(0.8)`, INSPECT.replace('0.9 if', '0.7 if')),
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
});

test('a deleted worktree is made again for the next experiment', async () => {
  const { verdicts } = await hostileStudy({
    experiments: 4,
    script: byExperiment(
      INSPECT,
      "import shutil\nhere = os.getcwd()\nshutil.rmtree(here)\nos.chdir('/')\nopen(here, 'w').close()\nreport(0.1)",
      INSPECT,
      'import shutil\nhere = os.getcwd()\nshutil.rmtree(here + ".away", True)\nos.rename(here, here + ".away")\nreport(0.1)',
      INSPECT,
    ),
  });
  const touched = 'crash locked_file_touched';
  expect(verdicts).toEqual(['keep baseline', touched, 'discard equal', touched, 'discard equal']);
});

test("a worktree replaced by a link to the user's checkout leaves the checkout alone", async () => {
  const repository = await createRepository(
    trainerFiles({
      script: byExperiment(
        'report(0.9)',
        `report(0.8)
git_dir = open('.git').read()[len('gitdir: '):].strip()
user = os.path.dirname(git_dir.split('/worktrees/')[0])
import shutil
here = os.getcwd()
shutil.rmtree(here + '.away', True)
os.rename(here, here + '.away')
os.symlink(user, here)`,
        'report(0.7)',
      ),
    }),
  );
  await writeFile(join(repository, 'notes.txt'), 'not committed');
  await writeFile(join(repository, 'README.md'), 'edited, not committed');
  const { verdicts } = await hostileStudy({ repository, script: '', experiments: 2 });
  expect(verdicts).toEqual(['keep baseline', 'crash locked_file_touched', 'keep better']);
  expect(await readFile(join(repository, 'notes.txt'), 'utf8')).toBe('not committed');
});

test('what the set-up made is there again after a run deleted the worktree', async () => {
  const { verdicts } = await hostileStudy({
    experiments: 2,
    more: 'setup = "mkdir data && echo 42 > data/x"',
    script: byExperiment(
      "assert open('data/x').read() == '42\\n'\nreport(0.9)",
      "import shutil\nshutil.rmtree(os.getcwd())\nos.chdir('/')\nreport(0.1)",
      "assert open('data/x').read() == '42\\n'\nreport(0.8)",
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'crash locked_file_touched', 'keep better']);
});

test.each([
  [
    'a pointer to a repository of its own',
    "os.remove('.git')\nopen('.git', 'w').write('gitdir: EVIL/.git\\n')",
  ],
  ['a repository', "os.remove('.git')\nsubprocess.run(['cp', '-r', 'EVIL/.git', '.git'], check=True)"],
  ['a link to a repository', "os.remove('.git')\nos.symlink('EVIL/.git', '.git')"],
  ['nothing', "os.remove('.git')"],
])(
  'a run that puts %s in the place of .git has nothing executed, and the next finds the right one',
  async (_, attack) => {
    const traps = await temporaryFolder();
    const marker = join(traps, 'ran');
    const evil = join(traps, 'evil');
    await git(traps, 'init', '--quiet', evil);
    await git(evil, 'config', 'core.fsmonitor', `touch ${marker}; false`);
    await git(evil, 'config', 'core.hooksPath', join(traps, 'hooks'));
    await git(evil, 'config', 'filter.evil.clean', `touch ${marker}; cat`);
    await git(evil, 'config', 'filter.evil.smudge', `touch ${marker}; cat`);
    await git(evil, 'config', 'diff.external', `touch ${marker}`);
    for (const hook of ['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change']) {
      const path = join(traps, 'hooks', hook);
      execFileSync('sh', [
        '-c',
        'mkdir -p "$1" && printf "#!/bin/sh\\ntouch %s\\n" "$3" > "$2" && chmod +x "$2"',
        'sh',
        join(traps, 'hooks'),
        path,
        marker,
      ]);
    }
    const { verdicts, metrics } = await hostileStudy({
      experiments: 3,
      script: byExperiment(
        'report(0.9)',
        // Left with nothing else changed, then with attributes that call for a filter.
        `${attack.replaceAll('EVIL', evil)}\nreport(0.8)`,
        `right = os.path.isfile('.git') and not os.path.islink('.git') and 'evil' not in open('.git').read()
subprocess.run(['rm', '-rf', '.git'])
open('.git', 'w').close()
${attack.replaceAll('EVIL', evil)}
open('.gitattributes', 'w').write('* filter=evil diff=evil\\n')
report(0.7 if right else 99)`,
        INSPECT.replace('0.9 if', '0.6 if'),
      ),
    });
    expect(existsSync(marker)).toBe(false);
    expect(metrics).toEqual([0.9, 0.8, 0.7, 0.6]);
    expect(verdicts).toEqual(['keep baseline', ...Array(3).fill('keep better')]);
  },
);

const IDENTITY = '-c user.name=a -c user.email=b';
const EASIER = '$(echo easier | git hash-object -w --stdin)';

test.each([
  [
    'hides a changed locked file from git',
    'git update-index --skip-worktree prepare.sh; echo easier > prepare.sh',
    false,
  ],
  [
    'has git assume a changed locked file is not',
    'git update-index --assume-unchanged prepare.sh; echo easier > prepare.sh',
    false,
  ],
  [
    'stages another content of a locked file',
    `git update-index --cacheinfo 100644,${EASIER},prepare.sh`,
    true,
  ],
  [
    'stages it and hides it',
    `git update-index --cacheinfo 100644,${EASIER},prepare.sh; git update-index --skip-worktree prepare.sh`,
    true,
  ],
  ['stages a new file', 'echo 1 > own.txt; git add own.txt', true],
  ['checks out another branch', 'git checkout -q mine', true],
  ["checks out the study's branch", `git checkout -q autoresearch/${TAG}`, true],
  ["makes HEAD follow the user's branch", 'git symbolic-ref HEAD refs/heads/main; echo > junk', true],
  ['commits', `echo 1 > own.txt; git add own.txt; git ${IDENTITY} commit -q -m own`, true],
  ['leaves locks behind', 'cd $(git rev-parse --git-dir); touch index.lock HEAD.lock', true],
  ['spoils the index', 'echo > junk; cd $(git rev-parse --git-dir); echo junk > index', true],
  ['deletes the index', 'echo > junk; cd $(git rev-parse --git-dir); rm index', true],
  ["deletes git's record of the worktree", 'echo > junk; cd $(git rev-parse --git-dir); rm -rf "$PWD"', true],
  ['spoils HEAD', 'echo > junk; cd $(git rev-parse --git-dir); echo junk > HEAD', true],
  [
    "points git's record elsewhere",
    'echo > junk; cd $(git rev-parse --git-dir); echo /nowhere > commondir',
    true,
  ],
])('after a run that %s, the next ones start from the committed files alone', async (_, command, counts) => {
  const script = byExperiment(
    INSPECT,
    `subprocess.run(['sh', '-ec', ${JSON.stringify(command)}], check=True)\nreport(0.8)`,
    INSPECT.replace('0.9 if', '0.7 if'),
    // A discard has the next one start from the incumbent again.
    'report(5)',
    INSPECT.replace('0.9 if', '0.6 if'),
    'report(5)',
  );
  const repository = await createRepository(trainerFiles({ script }));
  await git(repository, 'branch', 'mine');
  const { verdicts } = await hostileStudy({ repository, script, experiments: 5 });
  expect(verdicts).toEqual([
    'keep baseline',
    counts ? 'keep better' : 'crash locked_file_touched',
    ...['keep better', 'discard worse', 'keep better', 'discard worse'],
  ]);
  expect(await git(repository, 'show', `autoresearch/${TAG}:prepare.sh`)).toBe('echo fixed');
});

test('a folder nested deeper than a path can spell is removed', async () => {
  const home = await temporaryFolder();
  // fs.rm cannot; this one goes first.
  onTestFinished(() => void execFileSync('rm', ['-rf', home]));
  const { verdicts } = await hostileStudy({
    home,
    experiments: 1,
    script: byExperiment(
      `here = os.getcwd()
for _ in range(60):
    os.mkdir('d' * 200)
    os.chdir('d' * 200)
open('file', 'w').close()
report(0.9)`,
      INSPECT.replace('0.9 if', '0.8 if'),
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});

test('a huge file left behind does not hold up the study', async () => {
  const { verdicts } = await hostileStudy({
    experiments: 1,
    // Sparse: it takes no room, and reading it would take an hour.
    script: byExperiment(
      "open('checkpoint.bin', 'w').truncate(2 ** 40)\nreport(0.9)",
      INSPECT.replace('0.9 if', '0.8 if'),
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
});

test('a locked file changed where git is told not to look closely is right again in the next run', async () => {
  // Same size, same mtime: with these two settings git takes it for unchanged.
  const forge = `stamp=$(mktemp); touch -r prepare.sh $stamp; echo 'echo loose' > prepare.sh; touch -r $stamp prepare.sh; rm $stamp`;
  const script = byExperiment(
    // Files of the index's own second git reads again anyway: the clock has to move on before the index is written.
    `import time\ntime.sleep(1.5)\n${INSPECT}`,
    `subprocess.run(['sh', '-ec', ${JSON.stringify(forge)}], check=True)\nreport(0.1)`,
    `report(0.8 if open('prepare.sh').read() == 'echo fixed\\n' else 99)`,
    `report(0.7 if open('prepare.sh').read() == 'echo fixed\\n' else 99)`,
  );
  const repository = await createRepository(trainerFiles({ script }));
  await git(repository, 'config', 'core.trustctime', 'false');
  await git(repository, 'config', 'core.checkStat', 'minimal');
  const { verdicts } = await hostileStudy({ repository, script, experiments: 3 });
  expect(verdicts).toEqual(['keep baseline', 'crash locked_file_touched', 'keep better', 'keep better']);
});
