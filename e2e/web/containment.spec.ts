import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reply } from '../../test/support/model-server.ts';
import { temporaryFolder } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, chooseModel, openCell, openProject, openWindow, setUp, study } from './support/window.ts';

/** A bubblewrap that fails because the system forbids what it needs. */
const FORBIDDEN = '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n';
const NOTHING: Reply = { kind: 'hang', after: [] };

test('without a sandbox code of a model runs only after a tick, and every place says so', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  const programs = await temporaryFolder('programs');
  await writeFile(join(programs, 'bwrap'), FORBIDDEN);
  await chmod(join(programs, 'bwrap'), 0o755);
  const model = await answer(() => NOTHING);
  await openWindow(page, await serve({ programs, sandbox: 'preferred' }));
  await openProject(page, bench.repository);
  const form = setUp(page);
  await chooseModel(page, model.url);
  await expect(page.getByRole('complementary', { name: 'Preflight' })).toContainText(
    'The training runs without a sandbox.',
  );
  await form.start.click();
  await expect(page.getByRole('alert')).toContainText(
    'Code that a model writes would run here without a sandbox',
  );
  const tick = page.getByRole('switch', { name: /^Run it without a sandbox anyway/ });
  await expect(tick).not.toBeChecked();
  await takePictures(page, 'consent');
  await tick.check();
  await form.start.click();
  await expect(study(page).header).toContainText('Not contained');
  await expect(cellOf(page, 0).region).toContainText('not contained');
  const numbers = (await openCell(page, 0)).section('Numbers');
  await expect(numbers).toContainText(/sandbox\s*not contained/);
  await takePictures(page, 'not-contained');
});
