import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { KILL_TIMES, killTree } from '../src/engine/process/kill-tree.ts';
import { readIdentity } from '../src/engine/process/process-table.ts';

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
