#!/bin/sh
# The reference MCP server for files, and an agent that asks for several edits of one file in one turn, as models do that call tools in
# parallel. Expected: all are made, for they name different lines, come through one pipe in order, and each is answered with its diff.
# Seen with @modelcontextprotocol/server-filesystem 2026.8.31: each edit reads the file before the others have written it, and writes the
# whole of it. All five are answered as made, and the file has one of them. So what is trained is not the change that the agent tells of.
# Sent one after the other, or as the list of edits of one call, all are made.
# (Others reported the like of agents' own edit tools and of the server for memory, in 2025 and 2026.)
# Node 20 on Linux 6.18. Needs npm; installs into a temporary folder, and speaks with nobody.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" @modelcontextprotocol/server-filesystem@2026.8.31
mkdir "$folder/work"
cat >"$folder/look.mjs" <<'JS'
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , program, folder] = process.argv;
const path = `${folder}/train.py`;
const names = ['lr', 'depth', 'width', 'warmup', 'decay'];
const server = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'ignore'] });
const waiting = new Map();
let last = 0;

createInterface({ input: server.stdout }).on('line', line => {
  const { id, result } = JSON.parse(line);
  waiting.get(id)?.(result);
});

function send(message) {
  server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function call(method, params) {
  last += 1;
  send({ id: last, method, params });
  return new Promise(resolve => waiting.set(last, resolve));
}

function edit(...edited) {
  const edits = edited.map(name => ({ oldText: `${name} = 0\n`, newText: `${name} = 1\n` }));
  return call('tools/call', { name: 'edit_file', arguments: { path, edits } });
}

async function look(how, make) {
  writeFileSync(path, names.map(name => `${name} = 0\n`).join(''));
  const answers = await make();
  const told = answers.flatMap(({ isError, content }) => (isError ? [] : content[0].text.match(/^\+\w+ = 1$/gm)));
  const made = readFileSync(path, 'utf8').match(/ = 1$/gm);
  console.log(`${how}: ${told.length} of ${names.length} edits told of, ${made.length} in the file`);
}

await call('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'look', version: '1' } });
send({ method: 'notifications/initialized' });
await look('one after the other', async () => {
  const answers = [];
  for (const name of names) answers.push(await edit(name));
  return answers;
});
await look('as one call', async () => [await edit(...names)]);
await look('sent together', () => Promise.all(names.map(name => edit(name))));
server.kill();
JS
node "$folder/look.mjs" "$folder/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js" "$folder/work" >"$folder/seen"
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
one after the other: 5 of 5 edits told of, 5 in the file
as one call: 5 of 5 edits told of, 5 in the file
sent together: 5 of 5 edits told of, 1 in the file
SEEN
