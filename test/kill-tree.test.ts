import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KILL_TIMES, killTree } from '../src/engine/process/kill-tree.ts';
import { readIdentity } from '../src/engine/process/process-table.ts';
import { temporaryFolder } from './support/scaffold.ts';

test('what a run was started as is ended also while it is in the session of its starter and has no mark yet', async () => {
  const child = spawn('sleep', ['600']);
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  const root = readIdentity(child.pid ?? 0);
  expect(root).not.toBeNull();
  const target = { hasMarker: () => false, root, tracked: [] };
  expect(await killTree(target, KILL_TIMES, { ask: true })).toEqual([]);
  expect(readIdentity(child.pid ?? 0)).toBeNull();
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('what a process starts when it is asked to end is not asked itself', async () => {
  const saved = join(await temporaryFolder(), 'saved');
  const handler = `sleep 0.3; echo checkpoint > ${saved}`;
  const script = `trap 'sh -c "${handler}"; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const target = { hasMarker: () => false, root: readIdentity(child.pid ?? 0), tracked: [] };
  expect(await killTree(target, KILL_TIMES, { ask: true })).toEqual([]);
  expect(await ended).toEqual([3, null]);
  expect(await readFile(saved, 'utf8')).toBe('checkpoint\n');
});
