import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectAgents } from '../../../src/engine/proposers/agent/detect.ts';
import { programsOf } from '../../../src/engine/proposers/agent/programs.ts';
import { tryAgent } from '../../../src/engine/proposers/agent/try-agent.ts';
import { bringBack } from '../../../src/engine/sandbox/agent-jail.ts';
import { type AgentName, proposerLabel } from '../../../src/shared/proposers/proposers.ts';
import { pawl } from '../../support/pawl.ts';
import { lives } from '../../support/processes.ts';
import { fastRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { ANSWER, claude, EDIT, night, say } from '../../support/stand-in-agent.ts';
import { checkNight, rowsOf } from '../../support/study.ts';

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
  const waits = `until [ -e ${home}/go ]; do sleep 0.05; done`;
  await writeFile(join(bin, 'claude'), `#!/bin/sh\necho asked >> ${home}/asked\n${waits}\necho slow\n`);
  const asking = { isFound: true, version: null, isAsking: true };
  expect((await detect(0))[0]).toMatchObject(asking);
  expect((await detect(0))[0]).toMatchObject(asking);
  await writeFile(join(home, 'go'), '');
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
