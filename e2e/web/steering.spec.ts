import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSandbox } from '../../src/engine/sandbox/find-sandbox.ts';
import { choose } from '../choose.ts';
import { temporaryFolder } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { cellOf, dialog, openProject, openWindow, setUp, study } from './support/window.ts';

test('a note to the search is answered at once: what it will do, and what it cannot follow', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold();
  await openProject(page, bench.repository);
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
  await expect(answer).toContainText('"Be bold" is not a form that the search follows');
  await expect(answer).toContainText(
    'There is no constant DEPHT that the search can change. The most similar is DEPTH.',
  );
  await look(page, 'steering');
  await note.fill('leave DEPTH alone');
  await note.press('Enter');
  await expect(note).toHaveValue('leave DEPTH alone\n');
  await note.press('Control+Enter');
  await expect(page.getByText('The search leaves DEPTH alone.')).toBeVisible();
  await expect(steer).toBeHidden();
  await bench.letGo();
});

test('of a proposer that cannot read nobody says that it is given the note', async ({
  page,
  serve,
  bench,
}) => {
  await openWindow(page, await serve());
  await bench.hold();
  await openProject(page, bench.repository);
  const form = setUp(page);
  await choose(form.field('Proposer'), 'A folder of patches');
  await form.field('Folder').fill(bench.folder);
  await form.field('Experiments').fill('1');
  await form.field('Name of the study').fill('night');
  await form.start.click();
  await expect(cellOf(page, 0).region).toContainText('training');
  await study(page).control('Steer').click();
  const steer = dialog(page, 'Steer night');
  await expect(steer).toContainText('patches, which proposes now, cannot read.');
  await expect(steer).not.toContainText('from the next proposal on');
  await steer.getByLabel('Note to the proposer').fill('Be bold.');
  await steer.getByLabel('Note to the proposer').press('Control+Enter');
  await expect(steer.getByRole('alert')).toContainText('The note is kept in the notebook.');
  await expect(steer.getByRole('alert')).not.toContainText('goes with the next proposal');
  await look(page, 'steering-unread');
  await bench.letGo();
});

test('an agent is not tried without a sandbox before one has agreed to that', async ({
  page,
  serve,
  bench,
}) => {
  const programs = await temporaryFolder('agents');
  await writeFile(join(programs, 'claude'), "#!/bin/sh\necho '2.1.332 (Claude Code)'\n");
  await chmod(join(programs, 'claude'), 0o755);
  await openWindow(page, await serve({ programs }));
  await openProject(page, bench.repository);
  const form = setUp(page);
  await choose(form.field('Proposer'), 'An agent on the command line');
  await expect(page.getByText('2.1.332 (Claude Code)')).toBeVisible();
  const attempt = page.getByRole('button', { name: 'Try it' });
  await attempt.click();
  await expect(page.getByText('It was not tried: it would run without a sandbox')).toBeVisible();
  await page.getByRole('button', { name: 'Try it' }).scrollIntoViewIfNeeded();
  await look(page, 'agent-trial');
});

test('an agent is tried in the sandbox: whether it made the edit, and how long that took', async ({
  page,
  serve,
  bench,
}) => {
  test.skip((await findSandbox(process.env)).kind === 'none', 'there is nothing to contain it with');
  const programs = await temporaryFolder('agents');
  const claude = (work: string) =>
    writeFile(
      join(programs, 'claude'),
      `#!/bin/sh
[ "$1" = --version ] && echo '2.1.332 (Claude Code)' && exit
cat > /dev/null
${work}
echo '{"type": "result", "is_error": false, "result": "Done."}'
`,
      { mode: 0o755 },
    );
  await claude("sed -i 's/0.1/0.2/' train.py");
  await openWindow(page, await serve({ programs, sandbox: 'preferred' }));
  await openProject(page, bench.repository);
  await choose(setUp(page).field('Proposer'), 'An agent on the command line');
  await expect(page.getByText('2.1.332 (Claude Code)')).toBeVisible();
  const attempt = page.getByRole('button', { name: 'Try it' });
  await attempt.click();
  await expect(page.getByText(/^Claude Code made the edit\. It took \S+ s\.$/)).toBeVisible();
  await claude('');
  await attempt.click();
  await expect(page.getByText('Claude Code answered, but changed nothing: Done.')).toBeVisible();
});
