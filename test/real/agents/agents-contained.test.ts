import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { contained } from '../../support/contained.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { ANSWER, claude, EDIT, night } from '../../support/stand-in-agent.ts';
import { checkNight, rowsOf } from '../../support/study.ts';

const IN_SANDBOX = { PAWL_SANDBOX: 'required' };

contained('a contained agent writes its copy and its own folder, and nothing else', async () => {
  const server = createServer(socket => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const outside = await temporaryFolder();
  const can = (name: string, command: string) =>
    `if (${command}) >/dev/null 2>&1; then echo "${name} yes"; else echo "${name} no"; fi >> /tmp/said`;
  const script = [
    can('locked', 'echo x >> prepare.sh'),
    can('folder', `echo x > ${outside}/x`),
    can('profile', 'test -e $HOME/.profile'),
    can('key', 'cat $HOME/.ssh/id'),
    can('state', 'echo x > $HOME/.claude/token && mkdir $HOME/.claude/hooks'),
    can(
      'copied',
      'grep old $HOME/.claude.json && echo new > $HOME/.claude.json.1 && mv $HOME/.claude.json.1 $HOME/.claude.json',
    ),
    can(
      'settings',
      'echo x >> $HOME/.claude/settings.json || mv $HOME/.claude/settings.json $HOME/.claude/was',
    ),
    can('ledger', 'ls "$PAWL_HOME" | grep pawl'),
    can('others', `kill -0 ${process.pid}`),
    can('network', `bash -c 'read -r word < /dev/tcp/127.0.0.1/${port}; test "$word" = hello'`),
    // As a sign-in is renewed: another file in the place of the first.
    can('signin', 'grep old $HOME/.claude/.credentials.json'),
    // Only what a token is comes back.
    'printf \'{"claudeAiOauth":{"accessToken":"%s"}}\' "$(base64 -w0 /tmp/said)" > /tmp/new && mv /tmp/new $HOME/.claude/.credentials.json',
    `${EDIT}${claude(ANSWER)}`,
  ].join('\n');
  await using own = await night('claude', script, 30, 1, IN_SANDBOX);
  await writeFiles(own.userHome, {
    '.profile': 'x',
    '.ssh/id': 'secret',
    '.claude.json': 'old',
    '.claude/settings.json': '{}',
    '.claude/.credentials.json': '{"claudeAiOauth":{"accessToken":"old"}}',
  });
  expect(await own.run()).toBe('experiments');
  const signIn = JSON.parse(await readFile(join(own.userHome, '.claude/.credentials.json'), 'utf8'));
  const said = Buffer.from(signIn.claudeAiOauth.accessToken, 'base64').toString();
  expect(
    Object.fromEntries(
      said
        .trim()
        .split('\n')
        .map(line => line.split(' ')),
    ),
  ).toEqual({
    ...{ locked: 'no', folder: 'no', profile: 'no', key: 'no', state: 'yes', copied: 'yes', settings: 'yes' },
    ...{ ledger: 'no', others: 'no', network: 'yes', signin: 'yes' },
  });
  expect(await readdir(outside)).toEqual([]);
  expect(await readFile(join(own.userHome, '.claude.json'), 'utf8')).toBe('old');
  expect(await readFile(join(own.userHome, '.claude/settings.json'), 'utf8')).toBe('{}');
  expect(rowsOf(own.home).experiments[1]).toMatchObject({ hypothesis: 'LR becomes 8', verdict: 'keep' });
  await checkNight(own);
});

contained(
  'what an agent writes about how it works is gone with it, and where the user keeps it is known',
  async () => {
    const elsewhere = await temporaryFolder();
    await writeFiles(elsewhere, { '.credentials.json': 'old', '.claude.json': 'old', 'settings.json': '{}' });
    const script = [
      'set -e',
      'grep old "$CLAUDE_CONFIG_DIR/.credentials.json" && grep old "$CLAUDE_CONFIG_DIR/.claude.json"',
      'mkdir "$CLAUDE_CONFIG_DIR/hooks"; echo evil > "$CLAUDE_CONFIG_DIR/hooks/x"',
      'echo evil > "$CLAUDE_CONFIG_DIR/settings.local.json"',
      'echo new > "$CLAUDE_CONFIG_DIR/.credentials.json"',
      `${EDIT}${claude(ANSWER)}`,
    ].join('\n');
    const env = { ...IN_SANDBOX, CLAUDE_CONFIG_DIR: elsewhere };
    await using own = await night('claude', script, 30, 1, env);
    expect(await own.run()).toBe('experiments');
    expect((await readdir(elsewhere)).sort()).toEqual(['.claude.json', '.credentials.json', 'settings.json']);
    expect(await readFile(join(elsewhere, '.credentials.json'), 'utf8')).toBe('new\n');
  },
);

contained('a contained agent is told where it is as well as put there', async () => {
  // What the shell was started with; what it says itself it has looked up.
  const where = 'tr "\\0" "\\n" < /proc/$$/environ | grep "^PWD=" > $HOME/.claude/.credentials.json';
  await using own = await night('claude', `${where}\n${EDIT}${claude(ANSWER)}`, 30, 1, IN_SANDBOX);
  await writeFiles(own.userHome, { '.claude/.credentials.json': 'PWD=' });
  expect(await own.run()).toBe('experiments');
  const told = await readFile(join(own.userHome, '.claude/.credentials.json'), 'utf8');
  expect(told).toMatch(/^PWD=.*\/agent-.*\/work\n$/);
});

contained('a contained agent does not see the checkout, wherever it is', async () => {
  const place = await mkdtemp('/var/tmp/pawl-test-');
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  const repository = join(place, 'repository');
  const script = `if cat ${repository}/.env ${repository}/.git/config; then exit 1; fi >&2\n${EDIT}${claude(ANSWER)}`;
  await using own = await night('claude', script, 30, 1, IN_SANDBOX, repository);
  await writeFile(join(repository, '.env'), 'SECRET=1');
  expect(await own.run()).toBe('experiments');
});

contained('a program that is not there needs the user in the sandbox too', async () => {
  await using own = await night('claude', '', 30, 1, IN_SANDBOX);
  await rm(join(own.bin, 'claude'));
  const blocked = own.untilEvent('warning');
  const run = own.run();
  expect(await blocked).toMatchObject({
    ...{ code: 'proposer_blocked', message: expect.stringContaining('there is no "claude" on the PATH') },
  });
  own.engine.request('stop_now');
  await run;
});

contained(
  'an agent whose settings lie in the checkout, and a checkout that is home, are no obstacle',
  async () => {
    const repository = join(await temporaryFolder(), 'repository');
    const config = join(repository, '.conf');
    const script = (place: string) => `set -e
grep old ${place}/.credentials.json
! cat ${repository}/secret 2>/dev/null
${EDIT}${claude(ANSWER)}`;
    const prepare = () =>
      writeFiles(repository, {
        secret: 'SECRET',
        '.conf/.credentials.json': 'old',
        '.claude/.credentials.json': 'old',
      });
    for (const [place, env] of [
      [config, { CLAUDE_CONFIG_DIR: config }],
      ['$HOME/.claude', { HOME: repository }],
    ] as const) {
      await rm(repository, { recursive: true, force: true });
      const all = { ...IN_SANDBOX, ...env };
      await using own = await night('claude', script(place), 30, 1, all, repository);
      await prepare();
      expect(await own.run()).toBe('experiments');
    }
  },
);

contained('a home and a folder of settings that are links are followed', async () => {
  const place = await temporaryFolder();
  const home = join(await temporaryFolder(), 'home');
  await writeFiles(place, { 'dots/settings.json': 'mine', 'dots/.credentials.json': 'old' });
  await symlink(place, home);
  await symlink(join(place, 'dots'), join(place, '.claude'));
  await symlink(place, join(place, 'dots/skills'));
  const script = `set -e
grep mine $HOME/.claude/settings.json
echo new > $HOME/.claude/.credentials.json
${EDIT}${claude(ANSWER)}`;
  await using own = await night('claude', script, 30, 1, { ...IN_SANDBOX, HOME: home });
  expect(await own.run()).toBe('experiments');
  expect(await readFile(join(place, 'dots/.credentials.json'), 'utf8')).toBe('new\n');
  const notice =
    /^In the sandbox Claude Code cannot see .*skills \(a link to .*, which is or contains a home directory\)\.$/;
  expect(own.calls()).toMatchObject([{ outcome: 'ok', message: expect.stringMatching(notice) }]);
});

contained('an agent that is ended leaves nothing of itself in its sandbox', async () => {
  const mark = `6${process.pid % 1000}00`;
  await using own = await night('claude', `sleep ${mark} & sleep ${mark}\nwait`, 1, 1, IN_SANDBOX);
  expect(await own.run()).toBe('proposer');
  expect(own.calls()[0]).toMatchObject({ outcome: 'timeout' });
  const lines = await Promise.all(
    (await readdir('/proc'))
      .filter(name => /^\d+$/.test(name))
      .map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  expect(lines.filter(line => line.includes(`sleep\0${mark}`))).toEqual([]);
});

contained('a sign-in that is missing in the sandbox says where it may be', async () => {
  const script = claude('Not logged in · Please run /login', { is_error: true });
  await using own = await night('claude', script, 30, 1, IN_SANDBOX);
  const blocked = own.untilEvent('warning');
  const run = own.run();
  expect(await blocked).toMatchObject({
    message: expect.stringContaining('but not to the system’s keyring'),
  });
  own.engine.request('stop_now');
  await run;
});
