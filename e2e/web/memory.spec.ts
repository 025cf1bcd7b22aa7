import type { Turn } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import { pawl } from './support/terminal.ts';
import { cellOf, notebook, openWindow, sidebar, startStudy, study } from './support/window.ts';

const TURNS: readonly Turn[] = [
  { hypothesis: 'Twice the learning rate', category: 'optimizer', set: { LEARNING_RATE: '0.04' } },
  { hypothesis: 'A batch of 512', category: 'data', set: { BATCH_SIZE: '512' } },
  { hypothesis: 'No weight decay', category: 'regularisation', set: { WEIGHT_DECAY: '0.0' } },
  { hypothesis: 'Hardly any weight decay', category: 'regularisation', set: { WEIGHT_DECAY: '0.01' } },
  { hypothesis: 'Half the weight decay', category: 'regularisation', set: { WEIGHT_DECAY: '0.05' } },
];

test('what an earlier study learnt is shown with its sources, edited, left out, made again, and told', async ({
  page,
  serve,
  home,
  makeBench,
}) => {
  const bench = await makeBench({ turns: TURNS });
  const server = await serve();
  await openWindow(page, server);
  await startStudy(page, bench, { tag: 'monday', experiments: 5 });
  await expect(study(page).header).toContainText('Ended');
  await bench.hold();
  await sidebar(page).region.getByRole('button', { name: 'Open a project' }).click();
  await startStudy(page, bench, { tag: 'tuesday', experiments: 1 });
  await expect(cellOf(page, 0).region).toContainText('training');

  await study(page).tab('program.md').click();
  const part = page
    .getByRole('tablist', { name: 'What proposers are told' })
    .getByRole('tab', { name: 'What earlier studies learnt' });
  const editor = page.getByRole('textbox', { name: 'What earlier studies learnt' });
  const sources = page.getByRole('region', { name: 'Where it comes from' });
  const versions = page.getByRole('complementary', { name: 'Versions' });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  // Text that is not saved yet stays while the user looks at the other part.
  const program = page.getByRole('textbox', { name: 'program.md' });
  await program.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('Not saved.');
  await part.click();
  await expect(editor).toContainText(
    'autoresearch/monday #1: Twice the learning rate [optimizer], -0.03, keep',
  );
  await expect(editor).toContainText('regularisation: 3 tried, none kept');
  await expect(editor).toContainText('out_of_memory: 1 crash, such as “A batch of 512”');
  await expect(sources.getByRole('button')).toHaveCount(5);
  await look(page, 'memory');
  await page
    .getByRole('tablist', { name: 'What proposers are told' })
    .getByRole('tab', { name: 'program.md' })
    .click();
  await expect(program).toContainText('Not saved.');
  await button('Discard changes').click();
  await part.click();

  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\n- The rate may go higher still. ');
  await expect(page.getByText('Not saved yet')).toBeVisible();
  await expect(button('Make it again')).toBeDisabled();
  await page.keyboard.press('Control+s');
  await expect(versions.getByRole('button', { name: /^Version 2.*by you/ })).toBeVisible();
  await expect(button('Save')).toBeDisabled();
  await expect(editor).toContainText('The rate may go higher still.');

  // Another process leaves the text out. The window shows that and can bring the text back.
  expect(await pawl({ home, cwd: bench.repository }, 'memory', '--clear')).toBe('');
  await expect(page.getByText('Left out: proposers do not see what earlier studies learnt.')).toBeVisible();
  await expect(sources).toBeHidden();
  await look(page, 'memory-left-out');
  await button('Make it again').click();
  await expect(editor).toContainText('Twice the learning rate');
  await button('Leave it out').click();
  await expect(editor).not.toContainText('Twice the learning rate');
  await versions.getByRole('button', { name: /^Version 2/ }).click();
  await button('Edit from this version').click();
  await button('Save').click();
  await expect(versions.getByRole('listitem')).toHaveCount(6);

  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
  const { memory } = await bench.request(1);
  expect(memory).toContain('autoresearch/monday #1: Twice the learning rate');
  expect(memory).toMatch(/- The rate may go higher still\.$/);
  await study(page).tab('Notebook').click();
  await expect(notebook(page).mark('What earlier studies learnt: changed by you (version 2)')).toBeVisible();
  await expect(notebook(page).mark('What earlier studies learnt: left out (version 3)')).toBeVisible();

  // A source opens the experiment.
  await study(page).tab('program.md').click();
  await part.click();
  await sources.getByRole('button', { name: 'Experiment 2 of autoresearch/monday' }).click();
  await expect(study(page).heading).toHaveText('monday');
  await expect(cellOf(page, 2).panel).toBeVisible();

  // Both texts stay visible when the server is gone.
  await study(page).tab('program.md').click();
  await part.click();
  await expect(editor).toBeVisible();
  await server.stop();
  await expect(page.getByRole('alert').filter({ hasText: 'Pawl cannot be reached' })).toBeVisible();
  await expect(editor).toBeVisible();
});
