import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { cellOf, dialog, notebook, openCell, openWindow, startStudy, study } from './support/window.ts';

/** A stand-in for nvidia-smi: one GPU that works, and is too hot until the first experiment is run for the second time. */
const smi = (home: string) => `#!/bin/sh
while :; do
  if ls -d '${home}'/studies/*/runs/0.1; then reasons=0x0000000000000004; else reasons=0x0000000000000060; fi >/dev/null 2>&1
  echo "0, GPU-8fe3a97d, NVIDIA RTX 6000 Ada, 97, 45061, 49140, 84, 29.84, 300.00, 1755, 2619, 61, 4, 16, $reasons, Disabled"
  sleep 0.2
done
`;

test('a GPU that was too hot is seen live, its run does not decide, and the notebook says why', async ({
  page,
  home,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({ seconds: 6 });
  await writeFile(join(bench.folder, 'nvidia-smi'), smi(home));
  await chmod(join(bench.folder, 'nvidia-smi'), 0o755);
  await openWindow(page, await serve({ programs: bench.folder }));
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 0 });
  const machine = study(page).running.getByRole('region', { name: 'Machine' });
  await expect(machine).toContainText('GPU 0: NVIDIA RTX 6000 Ada');
  await expect(machine).toContainText('29.84 / 300 W');
  await expect(machine).toContainText('Clocks throttled: too hot');
  await bench.hold(0, 1);
  await expect(
    notebook(page).list.getByText(/^#0 is run again, .* the GPU was throttled, too hot/),
  ).toBeVisible();
  await bench.untilHeld();
  await expect(machine).not.toContainText('Clocks throttled: too hot');
  await bench.letGo();
  await expect(cellOf(page, 0).region).toContainText('keep');

  const numbers = (await openCell(page, 0)).section('Numbers');
  await expect(numbers).toContainText(/GPU energy\s*0\.\d+ Wh/);
  await expect(numbers).not.toContainText('unfair');
  await choose(cellOf(page, 0).region.getByLabel('Run', { exact: true }), /^Run 1 of/);
  await expect(numbers).toContainText(/unfair\s*the GPU was throttled, too hot in \d+ % of its seconds/);
  await openCell(page, 0, 'Curves');
  await expect(page.getByRole('img', { name: 'GPU power during the run' })).toBeVisible();
  await expect(page.getByRole('img', { name: 'Load during the run' })).toBeVisible();
});

test('a run that cannot reach the best any more is ended, and its cell says over what', async ({
  page,
  serve,
  makeBench,
}) => {
  const usual = Array.from({ length: 11 }, (_, index) => ({
    hypothesis: `Another order of the data, seed ${index + 1}`,
    category: 'seed',
    set: { SEED: String(index + 1) },
  }));
  const hopeless = {
    hypothesis: 'A learning rate of 40',
    category: 'optimizer',
    set: { LEARNING_RATE: '40', TRAIN_SECONDS: '8' },
  };
  const bench = await makeBench({ seconds: 0.1, turns: [...usual, hopeless] });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 13, isPruning: true });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 12).region).toContainText(/discard.*pruned/);
  await expect(cellOf(page, 13).region).toContainText(/discard.*worse/);
  const cell = await openCell(page, 12);
  await expect(cell.section('Ended early')).toContainText(
    /^Ended early, without a number.*It was ended after \d\d % of its training: loss .* caught up at most .*\.$/,
  );
  await expect(cell.section('Numbers')).toContainText(/outcome\s*pruned/);
});

/** Two GPUs, of which the second works, and draws so little that no run comes to a watt-hour. */
const TWO = `#!/bin/sh
while :; do
  echo "0, GPU-8fe3a97d, NVIDIA RTX 6000 Ada, 12, 4061, 49140, 44, 98.37, 300.00, 1755, 2619, 61, 4, 16, 0x0, Disabled"
  echo "1, GPU-a230e637, NVIDIA H100 80GB HBM3, 97, 45061, 81559, 54, 30.62, 700.00, 1755, 2619, [N/A], 5, 16, 0x4, Disabled"
  sleep 0.2
done
`;

test('the GPU is chosen where there is a choice, and energy is told with its price', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    seconds: 3,
    turns: [{ hypothesis: 'A gain', category: 'optimizer', set: { LEARNING_RATE: '0.06' } }],
  });
  await writeFile(join(bench.folder, 'nvidia-smi'), TWO);
  await chmod(join(bench.folder, 'nvidia-smi'), 0o755);
  await openWindow(page, await serve({ programs: bench.folder }));
  await page.getByRole('button', { name: 'Settings' }).click();
  await dialog(page, 'Settings').getByLabel('Price per kWh').fill('0,3x');
  await expect(dialog(page, 'Settings')).toContainText('Write a number, or leave it empty.');
  await dialog(page, 'Settings').getByLabel('Price per kWh').fill('300');
  await dialog(page, 'Settings').getByLabel('Currency').fill('CHF ');
  await page.keyboard.press('Escape');
  await bench.hold();
  await startStudy(page, bench, { tag: 'night', experiments: 1, gpu: '1: NVIDIA H100 80GB HBM3' });
  const machine = study(page).running.getByRole('region', { name: 'Machine' });
  await expect(machine).toContainText('GPU 1: NVIDIA H100');
  await expect(machine).toContainText(/Disk free\s*\d/);
  await bench.letGo();
  await expect(study(page).header).toContainText('Ended');
  await expect(study(page).header).toContainText(
    /\d Wh or CHF\s0\.\d+ of GPU energy, \d.* Wh or CHF\s0\.\d+ per gain/,
  );
  await study(page).control('Resume').click();
  await expect(dialog(page, 'Resume night').getByLabel('GPU')).toHaveText('1: NVIDIA H100 80GB HBM3');
  await page.keyboard.press('Escape');
  const numbers = (await openCell(page, 1)).section('Numbers');
  await expect(numbers).toContainText(/GPU energy\s*0\.\d+ Wh\s*electricity\s*CHF\s0\.\d+/);
});
