import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '../../src/shared/notebook.ts';
import { startModelServer } from '../../test/support/model-server.ts';
import { choose } from '../choose.ts';
import { findElectron } from './app.ts';
import { ask, call } from './calls.ts';
import { expect, loadedPage, test } from './fixtures.ts';
import { newStudy, welcome } from './selectors.ts';

const KEY = 'sk-ant-test-a-key-that-nobody-may-find-anywhere';

test('a stored key reaches the server and nothing else', async ({ start, bench }) => {
  const server = await startModelServer(() => ({
    kind: 'message',
    blocks: [
      {
        type: 'tool_use',
        name: 'submit_proposal',
        input: {
          hypothesis: 'Raise LR from 2 to 3',
          rationale: 'It is low.',
          category: 'constant',
          predicted_effect: -0.01,
          edits: [{ path: 'train.sh', old: 'LR=2', new: 'LR=3\nenv' }],
        },
      },
    ],
  }));
  const app = await start({ env: { ANTHROPIC_API_KEY: '' } });
  const page = await loadedPage(app);
  const settings = { model: 'claude-opus-5-5', effort: null, baseUrl: server.url, key: 'stored' };
  const study = {
    path: bench.repository,
    tag: 'night',
    stop: { experiments: 1 },
    proposer: { kind: 'model', ...settings, capUsd: { study: 1, sitting: null } },
  };
  expect(await call(page, 'studies/start', study)).toMatchObject({ ok: false, code: 'proposer_invalid' });
  await ask(page, 'keys/store', { key: KEY });
  expect(await ask(page, 'keys/status')).toMatchObject({ hasKey: true });
  expect((await stat(join(app.home, 'model-key'))).mode & 0o777).toBe(0o600);
  await ask(page, 'studies/start', study);
  await expect
    .poll(async () => (await ask<Snapshot>(page, 'app/snapshot')).studies[0]?.state)
    .toBe('stopped');
  const asked = server.requests.at(-1);
  expect(asked?.headers.authorization ?? asked?.headers['x-api-key']).toContain(KEY);
  const files = await readdir(app.home, { recursive: true, withFileTypes: true });
  const log = files.find(file => file.name === 'output.log' && file.parentPath.endsWith('runs/1'));
  expect(log, 'the run that printed its environment').toBeDefined();
  for (const file of files.filter(found => found.isFile())) {
    expect((await readFile(join(file.parentPath, file.name))).includes(KEY), file.name).toBe(false);
  }
  await ask(page, 'keys/forget');
  expect(await ask(page, 'keys/status')).toMatchObject({ hasKey: false });
  await server.close();
});

test('a key is stored and forgotten in the form, and never shown again', async ({ app, page, bench }) => {
  await welcome(page).getByLabel('Or paste its path').fill(bench.repository);
  await welcome(page).getByRole('button', { name: 'Open', exact: true }).click();
  await expect(newStudy(page, 'repo')).toBeVisible();
  await choose(page.getByLabel('Proposer', { exact: true }), 'A language model (Messages API)');
  await choose(page.getByLabel('Key', { exact: true }), 'The key stored in the desktop app');
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Store', exact: true }).click();
  await expect(page.getByText('A key is stored.')).toBeVisible();
  expect(await page.content()).not.toContain(KEY);
  await page.getByRole('button', { name: 'Forget it' }).click();
  await expect(page.getByLabel('API key')).toHaveValue('');
  await expect(stat(join(app.home, 'model-key'))).rejects.toThrow(/ENOENT/);
});

test('where there is no keyring the form says what that means', async ({ start, bench }) => {
  test.skip(findElectron() !== null, 'the keyring of a real desktop cannot be taken away');
  const page = await loadedPage(await start({ env: { PAWL_DOUBLE_KEYRING: 'none' } }));
  await welcome(page).getByLabel('Or paste its path').fill(bench.repository);
  await welcome(page).getByRole('button', { name: 'Open', exact: true }).click();
  await choose(page.getByLabel('Proposer', { exact: true }), 'A language model (Messages API)');
  await choose(page.getByLabel('Key', { exact: true }), 'The key stored in the desktop app');
  await expect(page.getByRole('alert').filter({ hasText: 'no keyring' })).toBeVisible();
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Store', exact: true }).click();
  await expect(page.getByText('A key is stored.')).toBeVisible();
});
