import { execFile } from 'node:child_process';
import { chmod, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { CLAUDE } from '../../../src/engine/proposers/agent/programs/claude.ts';
import { OPENCODE } from '../../../src/engine/proposers/agent/programs/opencode.ts';
import { tryAgent } from '../../../src/engine/proposers/agent/try-agent.ts';
import { agentJail } from '../../../src/engine/sandbox/agent-jail.ts';
import { containedBy } from '../../../src/engine/sandbox/find-sandbox.ts';
import { describeLeftOut } from '../../../src/engine/sandbox/settings-copy.ts';
import { giveTo } from '../../../src/engine/sandbox/unprivileged.ts';
import { answers, can, contained, found } from '../../support/contained.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';

/** Links among an agent's settings: those of dotfile managers are followed, those that lead out to keys are not. */

const run = promisify(execFile);

/** A home with keys, with settings, and with a folder of dotfiles as stow has it. */
async function makeHome(): Promise<string> {
  const home = join(await realpath(await temporaryFolder()), 'me');
  await writeFiles(home, {
    '.ssh/id': 'no key',
    '.aws/credentials': 'no key',
    '.local/share/keyrings/login.keyring': 'no key',
    '.claude/skills/mine/SKILL.md': 'mine',
    'dots/claude/.claude/settings.json': '{}',
    'dots/claude/.claude/commands/go.md': 'go',
    'dots/claude/.claude/commands/a/b/c/.aws/credentials': 'no key',
    'dots/claude/.claude/agents/a.md': 'a',
    'dots/claude/.claude/agents/.aws/credentials': 'no key',
    'dots/ssh/.ssh/id': 'no key',
    'work/project/notes.md': 'notes',
  });
  return home;
}

async function inJail(home: string, script: string, { folders } = CLAUDE) {
  const base = await realpath(await temporaryFolder());
  const [copy, own, standIns] = ['copy', 'own', 'stand-ins'].map(name => join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [copy, own]) await mkdir(folder);
  if (found.kind === 'none') throw new Error(found.why);
  const environment = { HOME: home, PATH: process.env.PATH };
  const { jail, leftOut } = await agentJail({
    ...{ folders, program: 'claude', copy, own, standIns, locked: [], withheld: [], checkout: [] },
    ...{ dataFolder: join(base, 'data'), environment, home },
  });
  const { identity } = found;
  if (identity) for (const path of [copy, own, standIns]) await giveTo(identity, path, new Set());
  const [program, ...args] = containedBy(found, jail);
  const { stdout } = await run(program, [...args, '/bin/sh', '-c', script], { env: environment });
  return { said: answers(stdout), leftOut };
}

contained('settings that are links into a folder of dotfiles are shown', async () => {
  const home = await makeHome();
  const dots = '../dots/claude/.claude';
  await symlink(`${dots}/settings.json`, join(home, '.claude/settings.json'));
  await symlink(`${dots}/commands`, join(home, '.claude/commands'));
  await symlink('../../work/project', join(home, '.claude/skills/project'));
  const { said, leftOut } = await inJail(
    home,
    [
      can('file', `cat ${home}/.claude/settings.json`),
      can('folder', `cat ${home}/.claude/commands/go.md`),
      can('own', `cat ${home}/.claude/skills/mine/SKILL.md`),
      can('below', `cat ${home}/.claude/skills/project/notes.md`),
      can('keys', `grep -rsl 'no key' ${home}`),
    ].join('\n'),
  );
  expect(said).toEqual({ file: 'yes', folder: 'yes', own: 'yes', below: 'yes', keys: 'no' });
  // Deeper than is looked at before a folder is shown.
  const deep = join(home, 'dots/claude/.claude/commands/a/b/c/.aws');
  expect(leftOut).toEqual([{ path: deep, to: deep, why: 'is or is inside .aws' }]);
  expect(describeLeftOut('Claude Code', leftOut)).toBe(
    `In the sandbox Claude Code cannot see ${deep} (which is or is inside .aws).`,
  );
});

contained('the whole folder of settings may be a link into a folder of dotfiles', async () => {
  const home = await makeHome();
  await run('rm', ['-r', join(home, '.claude')]);
  await symlink('dots/claude/.claude', join(home, '.claude'));
  const { said } = await inJail(
    home,
    [
      can('file', `cat ${home}/.claude/settings.json`),
      can('folder', `cat ${home}/.claude/commands/go.md`),
      can('beside', `cat ${home}/dots/ssh/.ssh/id`),
    ].join('\n'),
  );
  expect(said).toEqual({ file: 'yes', folder: 'yes', beside: 'no' });
});

contained('settings that are links to keys, or to what holds them, are not shown', async () => {
  const home = await makeHome();
  const link = (name: string, to: string) => symlink(to, join(home, '.claude', name));
  await link('commands', home);
  await link('hooks', '../dots');
  await link('agents', '../dots/claude/.claude/agents');
  await link('rules', '../.local');
  await link('settings.json', '../.aws/credentials');
  await link('.credentials.json', '../.ssh/id');
  await link('skills/ssh', '../../.ssh');
  await link('skills/key', '../../.ssh/id');
  await link('skills/all', '../..');
  // What is large is not copied but mounted.
  await writeFile(join(home, 'large'), Buffer.alloc(9 * 1024 ** 2));
  const { said, leftOut } = await inJail(
    home,
    [
      can('own', `cat ${home}/.claude/skills/mine/SKILL.md`),
      can('keys', `grep -rsl 'no key' ${home} /tmp`),
      can('home', `find ${home}/ -name notes.md | grep .`),
      can('links', `ls ${home}/.claude/commands ${home}/.claude/skills/all`),
    ].join('\n'),
  );
  expect(said).toEqual({ own: 'yes', keys: 'no', home: 'no', links: 'no' });
  expect(Object.fromEntries(leftOut.map(({ path, why }) => [path.slice(home.length), why]))).toEqual({
    '/.claude/.credentials.json': 'is or is inside .ssh',
    '/.claude/settings.json': 'is or is inside .aws',
    '/.claude/commands': 'is or contains a home directory',
    '/.claude/agents': 'holds .aws',
    '/.claude/hooks': 'holds .ssh',
    '/.claude/rules': 'holds keyrings',
    '/.claude/skills/ssh': 'is or is inside .ssh',
    '/.claude/skills/key': 'is or is inside .ssh',
    '/.claude/skills/all': 'is or contains a home directory',
  });
});

contained('a whole folder of settings that is a link to home is not shown', async () => {
  const home = await makeHome();
  await mkdir(join(home, '.config'));
  await symlink('..', join(home, '.config/opencode'));
  const { said, leftOut } = await inJail(home, can('keys', `grep -rsl 'no key' ${home}`), OPENCODE);
  expect(said).toEqual({ keys: 'no' });
  expect(leftOut).toMatchObject([{ path: join(home, '.config/opencode'), to: home }]);
});

contained('what an agent is not shown of its settings is said', async () => {
  const home = await makeHome();
  const bin = await temporaryFolder();
  await symlink('../..', join(home, '.claude/skills/all'));
  await writeFile(
    join(bin, 'claude'),
    `#!/bin/sh
cat > /dev/null
sed -i 's/0.1/0.2/' train.py
echo '{"type": "result", "is_error": false, "result": "Done."}'
`,
  );
  await chmod(join(bin, 'claude'), 0o755);
  const environment = {
    ...process.env,
    PAWL_SANDBOX: 'required',
    HOME: home,
    PATH: `${bin}:${process.env.PATH}`,
  };
  const ports = { environment, home: join(home, 'data'), scratch: await temporaryFolder() };
  const tried = await tryAgent(
    { agent: 'claude', model: null },
    { ...ports, mayBeUncontained: false },
    new AbortController().signal,
  );
  expect(tried).toMatchObject({
    isGood: true,
    message: `Claude Code made the edit. In the sandbox Claude Code cannot see ${home}/.claude/skills/all (a link to ${home}, which is or contains a home directory).`,
  });
});
