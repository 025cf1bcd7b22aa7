import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { temporaryFolder } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { COLOURS, overflow, violations } from './support/look.ts';
import { cellOf, dialog, openWindow, setUp, study, welcome } from './support/window.ts';

const SHOTS = 'e2e/web/screenshots';

async function look(page: Page, name: string): Promise<void> {
  const complaints: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    await page.screenshot({ path: `${SHOTS}/${name}-${theme}.png` });
    complaints.push(...(await violations(page, theme === 'light' ? [] : COLOURS)));
  }
  complaints.push(...(await overflow(page)));
  await page.emulateMedia({ colorScheme: 'light' });
  expect(complaints).toEqual([]);
}

test('a note to the search is answered at once: what it will do, and what it cannot follow', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold();
  await welcome(page).path.fill(bench.repository);
  await welcome(page).open.click();
  const form = setUp(page);
  await form.field('Experiments').fill('1');
  await form.field('Name of the study').fill('night');
  await form.start.click();
  await expect(cellOf(page, 0).region).toContainText('training');
  await study(page).control('Steer').click();
  const steer = dialog(page, 'Steer night');
  const note = steer.getByLabel('Note to the proposer');
  await expect(steer).toContainText('try LR up to 0.1');
  await note.fill('Leave DEPTH alone. Be bold. Try DEPHT up to 12.');
  await steer.getByRole('button', { name: 'Send the note' }).click();
  const answer = steer.getByRole('alert');
  await expect(answer).toContainText('The search leaves DEPTH alone.');
  await expect(answer).toContainText('"Be bold" says nothing to the search');
  await expect(answer).toContainText(
    'There is no constant DEPHT that the search turns. The nearest is DEPTH.',
  );
  await look(page, 'steering');
  await note.fill('leave DEPTH alone');
  await steer.getByRole('button', { name: 'Send the note' }).click();
  await expect(page.getByText('The search leaves DEPTH alone.')).toBeVisible();
  await expect(steer).toBeHidden();
  await bench.letGo();
});

test('an agent is tried from the set-up, and says how long it took or what is wrong', async ({
  page,
  serve,
  bench,
}) => {
  const programs = await temporaryFolder('agents');
  const agent = (result: string) =>
    `#!/bin/sh\n[ "$1" = --version ] && echo '2.1.332 (Claude Code)' && exit\ncat > /dev/null\n${result}`;
  const say = (line: object) => `cat <<'JSON'\n${JSON.stringify(line)}\nJSON\n`;
  const put = async (script: string) => {
    await writeFile(join(programs, 'claude'), agent(script));
    await chmod(join(programs, 'claude'), 0o755);
  };
  const failed = {
    type: 'result',
    subtype: 'success',
    is_error: true,
    result: 'Not logged in · Please run /login',
  };
  await put(`${say(failed)}exit 1`);
  await openWindow(page, await serve({ programs }));
  await welcome(page).path.fill(bench.repository);
  await welcome(page).open.click();
  const form = setUp(page);
  await form.field('Proposer').selectOption('agent');
  await expect(page.getByText('2.1.332 (Claude Code)')).toBeVisible();
  const attempt = page.getByRole('button', { name: 'Try it' });
  await attempt.click();
  await expect(page.getByText('It was not tried: it would run without a sandbox')).toBeVisible();
  await page.getByRole('button', { name: 'Try it' }).scrollIntoViewIfNeeded();
  await look(page, 'agent-trial');
});
