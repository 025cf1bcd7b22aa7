import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { parse as parseToml } from 'smol-toml';
import { expect, onTestFinished, test } from 'vitest';
import { pawl } from './support/pawl.ts';
import { PAWL_MAIN } from './support/pawl-command.ts';
import { lives } from './support/processes.ts';
import { fastRepository, temporaryFolder } from './support/scaffold.ts';
import { untilStopped } from './support/service.ts';
import { checkNight, rowsOf, TAG } from './support/study.ts';
import { trainingDesk } from './support/training-desk.ts';

/** The protocol's own client, against `pawl mcp` in a process of its own. */
async function connect(home: string, cwd: string) {
  const transport = new StdioClientTransport({
    ...{ command: process.execPath, args: [PAWL_MAIN, 'mcp'], cwd, stderr: 'pipe' },
    env: { ...(process.env as Record<string, string>), PAWL_HOME: home },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const call = async (name: string, input: Record<string, unknown> = {}) => {
    const answer = await client.callTool({ name, arguments: input });
    const [first] = answer.content as { text: string }[];
    return { ...answer, text: first?.text ?? '', data: answer.structuredContent as Record<string, unknown> };
  };
  return { client, transport, call };
}

test('an agent reads a study, proposes, waits and writes a note, and can do nothing else', async () => {
  const { night, desk, card } = await trainingDesk(2);
  const { client, call } = await connect(night.home, night.repository);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    ...['list_studies', 'list_experiments', 'show_experiment', 'search_experiments', 'read_file'],
    ...['propose', 'wait', 'add_note'],
  ]);
  // Where nobody can be asked Codex calls no tool that says less of itself.
  for (const { annotations } of tools) {
    expect(annotations?.readOnlyHint || annotations?.destructiveHint === false).toBe(true);
    expect(annotations?.openWorldHint).toBe(false);
  }
  // An agent that waits for long must not say the same each time: Gemini CLI takes that for a loop, and stops.
  const wait = tools.find(({ name }) => name === 'wait');
  expect(wait).toMatchObject({
    description: expect.stringContaining('each time with `waited` one higher'),
    inputSchema: { properties: { waited: { type: 'integer' } } },
  });
  // Codex tells its model no more of the instructions than this.
  expect(client.getInstructions()?.slice(0, 240)).toMatch(
    /`propose`.*`wait`, again and again until it is over/,
  );
  const { data: listed } = await call('list_studies');
  expect(listed.studies).toMatchObject([
    { tag: TAG, metric: 'val_bpb', goal: 'minimize', editable: ['train.sh'] },
  ]);
  expect((await call('read_file', { path: 'train.sh' })).text).toContain('LR=2');
  expect((await call('show_experiment', { experiment: 0, part: 'log' })).text).toContain('val_bpb:');
  expect(await call('show_experiment', { experiment: 99, part: 'log' })).toMatchObject({ isError: true });

  const words = { hypothesis: 'DEPTH becomes 8', rationale: 'It is low.', predicted_effect: -0.004 };
  const wrong = await call('propose', { ...words, edits: [{ path: 'train.sh', old: 'NO=1', new: 'NO=2' }] });
  expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('does not occur') });
  const locked = await call('propose', { ...words, edits: [{ path: 'prepare.sh', content: 'x' }] });
  expect(locked).toMatchObject({ isError: true, text: expect.stringContaining('editable') });
  const proposed = await call('propose', {
    ...words,
    edits: [{ path: 'train.sh', old: 'DEPTH=4', new: 'DEPTH=8' }],
  });
  expect(proposed.data).toMatchObject({
    state: 'waiting',
    is_over: false,
    message: 'Number 1 in the queue.',
  });
  const { proposal } = proposed.data;
  expect((await call('wait', { proposal, seconds: 0, waited: 3 })).data).toMatchObject({
    state: 'waiting',
    message: 'Number 1 in the queue. Call wait again, with waited: 4.',
  });
  await writeFile(night.gate, '');
  const until = async (): Promise<Record<string, unknown>> => {
    const { data } = await call('wait', { proposal });
    return data.is_over ? data : until();
  };
  expect(await until()).toMatchObject({ state: 'done', experiment: 2, verdict: 'keep', reason: 'better' });
  await untilStopped(desk, card.id);
  expect(desk.service.ledger.proposerCalls.author(card.id, 2)).toBe('outside');
  expect(rowsOf(night.home).experiments[2]).toMatchObject({ hypothesis: 'DEPTH becomes 8' });
  await call('add_note', { experiment: 2, text: 'It was me.' });
  expect((await call('show_experiment', { experiment: 2, part: 'notes' })).text).toContain('It was me.');
  expect((await call('list_experiments', { last: 1 })).data.experiments).toMatchObject([
    { experiment: 2, verdict: 'keep' },
  ]);
  expect(await call('propose', { study: 'none', ...words, edits: [] })).toMatchObject({ isError: true });
  await desk.close();
  await checkNight(night);
});

test('it says so where nothing runs, keeps stdout clean, and ends when its client does', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  await pawl(['run', repository, '--tag', TAG, '-n', '0'], { home });
  const { client, call, transport } = await connect(home, repository);
  const edits = [{ path: 'train.sh', old: 'LR=2', new: 'LR=8' }];
  const { data } = await call('propose', { hypothesis: 'LR', rationale: 'Low.', edits });
  expect(data.message).toContain(`"pawl resume --tag ${TAG}"`);
  const { pid } = transport;
  await client.close();
  await expect.poll(() => lives(pid ?? 0)).toBe(false);
});

test('the entry for each client is printed, and written beside what is there', async () => {
  const home = await temporaryFolder();
  const install = (client: string, ...more: string[]) =>
    pawl(['mcp', '--install', client, ...more], { home, env: { HOME: home, PAWL_HOME: home } });
  expect((await install('claude')).stdout).toMatch(
    /\.claude\.json.*--write[\s\S]*"mcpServers"[\s\S]*pawl\.mjs/,
  );
  await writeFile(join(home, '.claude.json'), '{\n  // mine\n  "theme": "dark"\n}\n');
  for (const client of ['claude', 'codex', 'gemini', 'opencode']) {
    expect(await install(client, '--write')).toMatchObject({ code: 0, stderr: '' });
  }
  const text = await readFile(join(home, '.claude.json'), 'utf8');
  expect(text).toContain('// mine');
  expect(text).toMatch(/"theme": "dark"[\s\S]*"pawl"[\s\S]*"mcp"/);
  const codex = parseToml(await readFile(join(home, '.codex/config.toml'), 'utf8'));
  expect(codex).toMatchObject({
    mcp_servers: { pawl: { args: [expect.stringContaining('pawl.mjs'), 'mcp'] } },
  });
  const opencode = JSON.parse(await readFile(join(home, '.config/opencode/opencode.json'), 'utf8'));
  expect(opencode.mcp.pawl).toMatchObject({ type: 'local', enabled: true });
  expect(await install('codex', '--write')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('already'),
  });
  // A link to where somebody keeps their settings stays one; another form of the table is left to its owner.
  await writeFile(join(home, 'kept.json'), '{}');
  await rm(join(home, '.gemini/settings.json'));
  await symlink(join(home, 'kept.json'), join(home, '.gemini/settings.json'));
  await install('gemini', '--write');
  expect(await readFile(join(home, 'kept.json'), 'utf8')).toContain('mcpServers');
  await writeFile(join(home, '.codex/config.toml'), 'mcp_servers = { other = { command = "x" } }\n');
  expect(await install('codex', '--write')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('by hand'),
  });
  await writeFile(join(home, '.claude.json'), '{"theme": ');
  expect(await install('claude', '--write')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not valid JSON'),
  });
  expect(await readFile(join(home, '.claude.json'), 'utf8')).toBe('{"theme": ');
});
