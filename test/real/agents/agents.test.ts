import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataPaths } from '../../../src/engine/paths.ts';
import { detectAgents } from '../../../src/engine/proposers/agent/detect.ts';
import { programsOf } from '../../../src/engine/proposers/agent/programs.ts';
import { tryAgent } from '../../../src/engine/proposers/agent/try-agent.ts';
import { bringBack } from '../../../src/engine/sandbox/agent-jail.ts';
import { findSandbox } from '../../../src/engine/sandbox/find-sandbox.ts';
import { Engine } from '../../../src/engine/session/engine.ts';
import type { EngineEvent } from '../../../src/shared/events.ts';
import { type AgentName, proposerLabel } from '../../../src/shared/study.ts';
import { pawl } from '../../support/pawl.ts';
import { lives } from '../../support/processes.ts';
import { fastRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../../support/study.ts';

const ANSWER = JSON.stringify({
  hypothesis: 'LR becomes 8',
  rationale: 'It is low.',
  predicted_effect: -0.06,
  category: 'constant',
});
/** What each can write of home. */
const STATE: Readonly<Record<string, string>> = {
  ...{ claude: '.claude', codex: '.codex', gemini: '.gemini', opencode: '.local/share/opencode' },
};
const EDIT = "sed -i 's/^LR=2/LR=8/' train.sh\n";
const say = (...lines: readonly unknown[]) =>
  lines.map(line => `cat <<'JSON'\n${JSON.stringify(line)}\nJSON\n`).join('');

const claude = (result: string, more: object = {}) =>
  say(
    { type: 'system', subtype: 'init' },
    {
      ...{ type: 'result', subtype: 'success', is_error: false, result, total_cost_usd: 0.04 },
      modelUsage: {
        one: {
          inputTokens: 9,
          outputTokens: 400,
          cacheReadInputTokens: 8_000,
          cacheCreationInputTokens: 1_200,
        },
        two: { inputTokens: 1, outputTokens: 100, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 },
      },
      ...more,
    },
  );

/** A study with a stand-in for an agent: a shell script in the agent's name. */
async function night(
  agent: AgentName,
  script: string,
  timeoutSeconds = 30,
  experiments = 1,
  env: Readonly<Record<string, string>> = {},
  repository?: string,
) {
  const own = await prepareNight(repository === undefined ? {} : { repository });
  const bin = await temporaryFolder();
  // A home of its own, of which the agent's folder is what a contained agent can write.
  const userHome = await temporaryFolder();
  const log = join(userHome, STATE[agent] ?? '', 'log');
  await mkdir(dirname(log), { recursive: true });
  await writeFile(
    join(bin, agent),
    `#!/bin/sh\ncat > ${log}.prompt\necho "$PWD" > ${log}.pwd\necho "$@" > ${log}.args\n${script}`,
  );
  await chmod(join(bin, agent), 0o755);
  const environment = {
    ...{ ...process.env, PAWL_HOME: own.home, HOME: userHome, PATH: `${bin}:${process.env.PATH}` },
    ...env,
  };
  const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
  const study = await engine.createStudy({
    repositoryPath: own.repository,
    tag: TAG,
    stop: { experiments },
    proposer: { kind: 'agent', agent, model: null, timeoutSeconds },
  });
  const events: EngineEvent[] = [];
  const untilEvent = (type: EngineEvent['type']) =>
    new Promise<EngineEvent>(resolve => {
      listeners.push(event => event.type === type && resolve(event));
    });
  const listeners: ((event: EngineEvent) => void)[] = [];
  const run = async () => {
    const end = await engine.run(study.id, {}, event => {
      events.push(event);
      for (const listen of listeners) listen(event);
    });
    if (end.error) throw end.error;
    return end.reason;
  };
  return {
    ...{ ...own, engine, study, run, events, untilEvent, bin, log, userHome },
    calls: () => engine.ledger.modelCalls.list(study.id, 1),
    [Symbol.asyncDispose]: async () => engine.close(),
  };
}

test.each<readonly [AgentName, string, object, number | null]>([
  [
    'claude',
    `${EDIT}${claude(`Done.\n${ANSWER}`)}`,
    { input: 10, cacheRead: 8_000, cacheWrite: 1_200, output: 500 },
    0.04,
  ],
  [
    'codex',
    `echo "a log line" >&2\n${EDIT}${say(
      { type: 'thread.started', thread_id: '1' },
      { type: 'error', message: 'Reconnecting... 2/5' },
      { type: 'item.completed', item: { type: 'agent_message', text: ANSWER } },
      {
        type: 'turn.completed',
        usage: { input_tokens: 17_000, cached_input_tokens: 12_000, output_tokens: 90 },
      },
    )}`,
    { input: 5_000, cacheRead: 12_000, cacheWrite: null, output: 90 },
    null,
  ],
  [
    'gemini',
    `${EDIT}${say(
      { type: 'init', session_id: '1' },
      { type: 'tool_use', tool_name: 'replace' },
      { type: 'message', role: 'assistant', content: ANSWER.slice(0, 20), delta: true },
      { type: 'message', role: 'assistant', content: ANSWER.slice(20), delta: true },
      {
        type: 'result',
        status: 'success',
        stats: { input_tokens: 800, input: 500, cached: 300, output_tokens: 80 },
      },
    )}`,
    { input: 500, cacheRead: 300, cacheWrite: null, output: 80 },
    null,
  ],
  [
    'opencode',
    `${EDIT}echo 'not json'\n${say(
      { type: 'step_start', part: {} },
      {
        type: 'step_finish',
        part: {
          reason: 'tool-calls',
          cost: 0.001,
          tokens: { input: 100, output: 5, cache: { read: 7, write: 0 } },
        },
      },
      { type: 'text', part: { type: 'text', text: ANSWER } },
      {
        type: 'step_finish',
        part: {
          reason: 'stop',
          cost: 0.002,
          tokens: { input: 50, output: 5, reasoning: 2, cache: { read: 3, write: 1 } },
        },
      },
    )}`,
    { input: 150, cacheRead: 10, cacheWrite: 1, output: 12 },
    0.003,
  ],
])('%s edits a copy, and its edit is the proposal', async (agent, script, tokens, costUsd) => {
  // OpenCode without a sign-in would go to a server of its makers'.
  await using own = await night(agent, script, 30, 1, { OPENCODE_AUTH_CONTENT: '{}' });
  expect(await own.run()).toBe('experiments');
  expect(rowsOf(own.home).experiments[1]).toMatchObject({ hypothesis: 'LR becomes 8', verdict: 'keep' });
  expect(own.calls()).toMatchObject([{ outcome: 'ok', tokens, costUsd }]);
  const prompt = await readFile(`${own.log}.prompt`, 'utf8');
  expect(prompt).toContain('you can write only these: train.sh');
  expect(prompt).not.toContain('submit_proposal');
  // Not the worktree, and said in both ways agents go by.
  expect(await readFile(`${own.log}.pwd`, 'utf8')).toMatch(/pawl-[0-9a-f]{16}\/agent-.*\/work\n$/);
  await checkNight(own);
});

test.each<readonly [string, AgentName, string, string, string]>([
  [
    'an expired sign-in',
    'claude',
    `${claude('', { is_error: true, result: 'Login expired · Please run /login' })}exit 1`,
    'unauthorized',
    'is not signed in',
  ],
  [
    'an exhausted quota',
    'codex',
    `${say({ type: 'turn.failed', error: { message: "You've hit your usage limit." } })}exit 1`,
    'rate_limited',
    'has no quota left',
  ],
  [
    'an outage',
    'claude',
    `${claude('', { is_error: true, result: 'API Error: 529 Overloaded' })}exit 1`,
    'overloaded',
    '529 Overloaded',
  ],
  ['a program that is not there', 'gemini', '', 'connection', 'could not be started'],
])('%s needs the user', async (name, agent, script, outcome, words) => {
  await using own = await night(agent, script);
  if (name.includes('not there')) await chmod(join(own.bin, agent), 0o644);
  const ended = own.run();
  const warning = await own.untilEvent('warning');
  expect(JSON.stringify(warning)).toContain(words);
  await own.untilEvent('study_paused').catch(() => {});
  own.engine.request('stop_now');
  expect(await ended).toBe('user');
  expect(own.calls()[0]?.outcome).toBe(outcome);
});

test.each<readonly [string, string, string]>([
  [
    'edits outside the scope',
    `${EDIT}rm -f prepare.sh; echo mine > prepare.sh; echo x > new.txt\n${claude(ANSWER)}`,
    'changed files it may not change: ',
  ],
  ['no edit', claude('I would raise the rate.'), 'changed nothing. I would raise the rate.'],
  ['a crash', `${EDIT}echo 'panic: at the disco' >&2; exit 101`, 'ended with 101: panic: at the disco'],
  ['an end without a result', EDIT, 'ended without a result'],
  [
    'an error of its own',
    `${EDIT}${claude('', { is_error: true, subtype: 'error_max_turns', result: undefined, errors: ['Reached maximum number of turns (40)'] })}exit 1`,
    'Reached maximum number of turns',
  ],
])('%s is a refusal that says why', async (_, script, words) => {
  await using own = await night('claude', script);
  expect(await own.run()).toBe('proposer');
  expect(rowsOf(own.home).refusals[0]).toMatchObject({ n: 1, message: expect.stringContaining(words) });
  expect(rowsOf(own.home).experiments).toHaveLength(1);
  await checkNight(own);
});

test.each<readonly [string, string, string]>([
  ['no UTF-8', "printf '\\351' >> train.sh\n", 'train.sh is not UTF-8'],
  ['a file that is larger than memory', 'truncate -s 3G train.sh\n', 'train.sh is too large'],
  ['a link', 'ln -sf /etc/passwd train.sh\n', 'train.sh is not a plain file'],
  ['nothing where a file was', 'rm train.sh\n', 'train.sh was removed, which a proposal cannot do'],
])('%s is refused in words', async (_, edit, words) => {
  await using own = await night('claude', `${edit}${claude(ANSWER)}`);
  expect(await own.run()).toBe('proposer');
  expect(rowsOf(own.home).refusals[0]?.message).toContain(words);
  await checkNight(own);
});

test('a folder that an agent has locked is removed, and its words mean nothing by themselves', async () => {
  await using own = await night(
    'claude',
    `mkdir -p .claude/x; touch .claude/x/y; chmod 555 .claude/x\necho 'warning: 401 lines, 429 words' >&2\n${EDIT}${claude(`{\n"hypothesis": "LR becomes 8",\n"category": "rate"\n}`)}`,
  );
  expect(await own.run()).toBe('experiments');
  expect(own.engine.ledger.experiments.history(rowsOf(own.home).studyId)[1]).toMatchObject({
    hypothesis: 'LR becomes 8',
    category: 'rate',
  });
});

test('prose in place of a result is still a proposal where there is an edit', async () => {
  await using own = await night('claude', `${EDIT}${claude('\nI raised LR to 8.\n\nIt was low.')}`);
  await own.run();
  expect(rowsOf(own.home).experiments[1]).toMatchObject({ hypothesis: 'I raised LR to 8.', verdict: 'keep' });
});

test('an agent that hangs is ended with all it started', async () => {
  await using own = await night('claude', 'sleep 600 &\necho $! > "$0.pid"\nwait', 1);
  expect(await own.run()).toBe('proposer');
  expect(own.calls()[0]).toMatchObject({ outcome: 'timeout' });
  const pid = Number(await readFile(join(own.bin, 'claude.pid'), 'utf8'));
  expect(await lives(pid)).toBe(false);
});

test('what is installed and signed in can be seen', async () => {
  const home = await temporaryFolder();
  const bin = await temporaryFolder();
  await writeFile(join(bin, 'claude'), '#!/bin/sh\necho "2.1.329 (Claude Code)"\n');
  await chmod(join(bin, 'claude'), 0o755);
  await mkdir(join(home, '.codex'));
  await writeFile(join(home, '.codex/auth.json'), '{}');
  const environment = { HOME: home, PATH: `${bin}:/bin:/usr/bin`, GEMINI_API_KEY: 'x' };
  const detect = async (patience = 20_000) => {
    const found = await detectAgents(programsOf({ agents: {} }), environment, patience);
    return found.filter(({ agent }) => ['claude', 'codex', 'gemini', 'opencode'].includes(agent));
  };
  expect(await detect()).toMatchObject([
    { agent: 'claude', isFound: true, version: '2.1.329 (Claude Code)', isSignedIn: false },
    { agent: 'codex', isFound: false, version: null, isSignedIn: true },
    { agent: 'gemini', isFound: false, isSignedIn: true },
    { agent: 'opencode', isFound: false, isSignedIn: false, signIn: expect.stringContaining('auth login') },
  ]);
  // A server of the user's own needs no sign-in of the program's.
  await mkdir(join(home, '.config/opencode'), { recursive: true });
  await writeFile(join(home, '.config/opencode/opencode.json'), '{"provider": {"mine": {}}}');
  expect((await detect()).at(-1)).toMatchObject({ agent: 'opencode', isSignedIn: true });
  // One that is slow to say its version is there, and is not asked twice; one that was replaced is asked anew.
  await writeFile(join(bin, 'claude'), `#!/bin/sh\necho asked >> ${home}/asked\nsleep 1\necho slow\n`);
  const asking = { isFound: true, version: null, isAsking: true };
  expect((await detect(0))[0]).toMatchObject(asking);
  expect((await detect(0))[0]).toMatchObject(asking);
  expect((await detect())[0]).toMatchObject({ version: 'slow', isAsking: false });
  expect(await readFile(join(home, 'asked'), 'utf8')).toBe('asked\n');
});

test('an agent makes the next proposal while an experiment trains', async () => {
  const was = join(await temporaryFolder(), 'was');
  const script = `if [ -e ${was} ]; then sed -i s/^DEPTH=4/DEPTH=8/ train.sh; else ${EDIT} touch ${was}; fi\n${claude(ANSWER)}`;
  await using own = await night('claude', script, 30, 2);
  await own.run();
  const { ledger } = own.engine;
  const [first] = ledger.runs.list(own.study.id, 1);
  const calls = ledger.proposerCalls.latest(own.study.id, proposerLabel(own.study.proposer), 10);
  const ahead = calls.findLast(({ n }) => n === 2);
  expect(ahead?.at).toBeLessThanOrEqual(first?.endedAt ?? 0);
  expect(ledger.experiments.history(own.study.id)).toHaveLength(3);
  await checkNight(own);
});

const found = await findSandbox(process.env);
const contained = test.skipIf(found.kind === 'none');
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

test('a sign-in that the user renewed meanwhile stays, and only a plain file is brought back', async () => {
  const folder = await temporaryFolder();
  const [file, copy] = [join(folder, 'file'), join(folder, 'box', 'copy')];
  const old = '{"token": "old", "expires": 1, "type": "oauth", "url": "https://a"}';
  const fresh = old.replace('old', 'new').replace('1', '2');
  await writeFiles(folder, { file: old, secret: fresh, 'box/copy': fresh });
  const before = Buffer.from(old);
  const bring = async () => {
    await bringBack([{ file, copy, before }]);
    return readFile(file, 'utf8');
  };
  await bringBack([{ file, copy, before: Buffer.from('{"token": "older"}') }]);
  expect(await readFile(file, 'utf8')).toBe(old);
  // What leads elsewhere, what gives no end, and what is half written.
  await rm(copy);
  await symlink(join(folder, 'secret'), copy);
  expect(await bring()).toBe(old);
  await rm(copy);
  execFileSync('mkfifo', [copy]);
  expect(await bring()).toBe(old);
  await rm(join(folder, 'box'), { recursive: true });
  await writeFiles(folder, { 'else/copy': fresh });
  await symlink(join(folder, 'else'), join(folder, 'box'));
  expect(await bring()).toBe(old);
  await rm(join(folder, 'box'));
  for (const content of ['', '{"ag', 'x'.repeat(2_000_000)]) {
    await writeFiles(folder, { 'box/copy': content });
    expect(await bring()).toBe(old);
  }
  await writeFiles(folder, { 'box/copy': fresh });
  expect(await bring()).toBe(fresh);
  // Where it cannot be kept nobody is stopped by it.
  await rm(file);
  await mkdir(file);
  await bringBack([{ file, copy, before }]);
});

test.each<readonly [string, string]>([
  ['another address', '{"token": "t", "url": "https://b", "type": "api"}'],
  ['another kind', '{"token": "t", "url": "https://a", "type": "wellknown"}'],
  ['a command in the place of a token', '{"token": "!echo", "url": "https://a", "type": "api"}'],
  ['one entry more', '{"token": "t", "url": "https://a", "type": "api", "more": {"key": "x"}}'],
  ['one entry less', '{"token": "t", "url": "https://a"}'],
  ['a list for a word', '{"token": ["t"], "url": "https://a", "type": "api"}'],
  ['words for an object', 'token'],
])('a sign-in with %s is not brought back', async (_, content) => {
  const folder = await temporaryFolder();
  const [file, copy] = [join(folder, 'file'), join(folder, 'copy')];
  const old = '{"token": "old", "url": "https://a", "type": "api"}';
  await writeFiles(folder, { file: old, copy: content });
  await bringBack([{ file, copy, before: Buffer.from(old) }]);
  expect(await readFile(file, 'utf8')).toBe(old);
});

test('words of any length are read at once', async () => {
  await using own = await night('claude', `${EDIT}${claude(`a${'`'.repeat(100_000)}b\n${ANSWER}`)}`);
  expect(await own.run()).toBe('experiments');
  expect(rowsOf(own.home).experiments[1]).toMatchObject({ hypothesis: 'LR becomes 8' });
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

test('an agent is tried with one harmless proposal, and doctor lists those that are there', async () => {
  const bin = await temporaryFolder();
  const home = await temporaryFolder();
  const scratch = await temporaryFolder();
  const environment = { ...process.env, HOME: home, PATH: `${bin}:${process.env.PATH}`, PAWL_SANDBOX: 'off' };
  const attempt = async (script: string, mayBeUncontained = true) => {
    await writeFile(
      join(bin, 'claude'),
      `#!/bin/sh\n[ "$1" = --version ] && echo 9.9 && exit\ncat > /dev/null\n${script}`,
    );
    await chmod(join(bin, 'claude'), 0o755);
    const ports = { environment, home, scratch, mayBeUncontained };
    return tryAgent({ agent: 'claude', model: null }, ports, new AbortController().signal);
  };
  const edit = "sed -i 's/0.1/0.2/' train.py\n";
  expect(await attempt(`${edit}${claude('{"hypothesis": "LR becomes 0.2"}')}`)).toMatchObject({
    ...{ isGood: true, message: 'Claude Code made the edit.', isContained: false },
  });
  expect(await attempt(claude('Done.'))).toMatchObject({
    isGood: false,
    message: expect.stringContaining('changed nothing: Done.'),
  });
  expect(await attempt(`${claude('', { is_error: true, result: 'Not logged in' })}exit 1`)).toMatchObject({
    ...{ isGood: false, message: expect.stringContaining('is not signed in') },
  });
  expect(await attempt(edit, false)).toMatchObject({
    isGood: false,
    message: expect.stringContaining('not agreed'),
  });
  expect(await readdir(scratch)).toEqual([]);
  const { stdout } = await pawl(['doctor', await fastRepository(), '--json'], {
    home,
    env: { HOME: home, PATH: environment.PATH },
  });
  expect(JSON.parse(stdout)).toContainEqual({
    ...{ name: 'Claude Code', outcome: 'warning' },
    detail: expect.stringMatching(/^--agent claude: 9\.9; no sign-in seen.*\/login/),
  });
});
