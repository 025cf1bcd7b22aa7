import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { git, makeRepository } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import type { Server } from './support/server.ts';
import { openProject, openWindow, setUp, study } from './support/window.ts';

const TRAIN = 'LR = 2\nprint("---")\nprint(f"score: {LR}")\nprint(f"sharpe: {LR + 1}")\n';
const LONG = 'a_very_long_name_that_nobody_would_write_by_hand_but_that_has_to_fit'.repeat(3);
const PROGRAM = `# What to try

- \`train.py\` — the file you modify.
- \`prepare.py\` — the evaluation. Do not modify.

The goal is to get the highest \`sharpe\`. Never install packages. Never read \`${LONG}.csv\`.

Each experiment has a time budget of 2 minutes. Run it: \`python3 train.py > run.log 2>&1\`

Then read the number:

    grep "^score:" run.log
`;
const FILES = {
  'train.py': TRAIN,
  'prepare.py': 'import os\nCACHE_DIR = os.path.expanduser("~/.cache/autoresearch-scores")\n',
  'program.md': PROGRAM,
};

async function openRepository(page: Page, server: Server, folder: string): Promise<void> {
  await openWindow(page, server);
  await openProject(page, folder);
  await expect(setUp(page).heading).toBeVisible();
}

test('the set-up shows what was found with where, and asks for what is unclear', async ({
  page,
  serve,
  home,
}) => {
  const repository = join(home, 'scores');
  await makeRepository(repository, FILES);
  await openRepository(page, await serve(), repository);
  const found = page.getByRole('region', { name: 'Found' });
  await expect(found).toContainText('train.pyprogram.md:3');
  await expect(found).toContainText('python3 train.pyprogram.md:8');
  await expect(found).toContainText('120 sprogram.md:8');
  await expect(found).toContainText('~/.cache/autoresearch-scoresprepare.py:2');
  const question = found.getByRole('note');
  await expect(question).toContainText('sharpe (program.md:6) or score (program.md:12)');
  const metric = setUp(page).field('Metric');
  await expect(metric).toHaveValue('');
  await expect(metric).toHaveAttribute('aria-invalid', 'true');
  await found.getByText(/rules of its instructions/).click();
  await takePictures(page, 'found-unclear');
  await found.getByRole('button', { name: 'score' }).click();
  await expect(metric).toHaveValue('score');
  await expect(metric).toHaveAttribute('aria-invalid', 'false');
  await expect(question).toHaveCount(0);
  await expect(setUp(page).checks.getByRole('img', { name: 'ok' }).first()).toBeVisible();
});

test('a set-up command is read and ticked before it runs, and the folded keys go with the study', async ({
  page,
  serve,
  bench,
}) => {
  await makeRepository(join(bench.folder, 'other'), {
    ...FILES,
    'make-data.sh': 'echo data > data.txt\n',
    'pawl.toml':
      '[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\nsetup = "sh make-data.sh"\n[metric]\nname = "score"\nwait = "36h"\npoll = "7m"\n[metric.require]\nsharpe = "> 1"\n[checks.tests]\ncommand = "true"\nseconds = 9\n',
  });
  const repository = join(bench.folder, 'other');
  await openRepository(page, await serve(), repository);
  const form = setUp(page);
  await expect(form.field('How long the number may take')).toHaveValue('36h');
  await expect(form.field('Conditions for a keep')).toHaveValue('sharpe > 1');
  await expect(form.field('Checks')).toHaveValue('tests: true');
  const agreement = page.getByRole('region', { name: 'Set-up' });
  await expect(agreement).toContainText('sh make-data.sh');
  await agreement.getByText('make-data.sh', { exact: true }).click();
  await expect(agreement).toContainText('echo data > data.txt');
  const command = await form.field('Set-up command').inputValue();
  await form.unfold('What may change, and how to train');
  await form.field('Set-up command').fill('');
  await expect(agreement).toBeHidden();
  await form.field('Set-up command').fill(command);
  await expect(agreement).toBeVisible();
  // Whatever is asked before the start, the button stays in sight.
  await page.setViewportSize({ width: 900, height: 700 });
  await expect(form.start).toBeInViewport({ ratio: 1 });
  await expect(agreement.getByRole('switch')).toBeInViewport({ ratio: 1 });
  await page.setViewportSize({ width: 1280, height: 800 });
  await form.field('Checks').scrollIntoViewIfNeeded();
  await takePictures(page, 'set-up-agreement');
  await form.field('How long the number may take').fill('');
  await form.field('Experiments').fill('0');
  await form.start.click();
  await expect(page.getByRole('alert')).toContainText('outside the sandbox: sh make-data.sh');
  await agreement.getByRole('switch').check();
  await form.start.click();
  await expect(study(page).header).toContainText(/Running|Ended/);
  expect(await git(repository, 'status', '--porcelain')).toBe('');
});
