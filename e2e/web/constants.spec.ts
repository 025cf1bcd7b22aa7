import type { Page } from '@playwright/test';
import { CORE, expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { look } from './support/look.ts';
import { NIGHT_TAG } from './support/night.ts';
import { cellOf, openNotebook, openWindow, runCommand, startStudy, study } from './support/window.ts';

function constants(page: Page) {
  const region = page.getByRole('region', { name: 'Constants', exact: true });
  return {
    region,
    plot: (name: string) => region.getByRole('group', { name: new RegExp(`^${name} against val_bpb`) }),
    figure: (name: string) => region.getByRole('figure').filter({ hasText: name }),
    importance: region.getByRole('region', { name: 'Importance' }),
    together: region.getByRole('region', { name: 'Constants and metric together' }),
    stretch: (name: string) => region.getByRole('slider', { name: `Stretch of ${name}` }),
  };
}

test.describe('the constants of a night', () => {
  test.beforeEach(async ({ page, night }) => {
    await openNotebook(page, night.server, NIGHT_TAG);
    await page.keyboard.press('7');
    await expect(constants(page).plot('LEARNING_RATE')).toBeVisible();
  });

  test('stand against the metric, and a point opens its experiment', CORE, async ({ page }) => {
    const { plot, figure } = constants(page);
    for (const name of ['LEARNING_RATE', 'WEIGHT_DECAY', 'DEPTH', 'WARMUP_RATIO', 'BATCH_SIZE']) {
      await expect(plot(name)).toHaveAccessibleName(`${name} against val_bpb: 14 experiments`);
    }
    await expect(plot('SEED')).toBeHidden();
    await expect(figure('LEARNING_RATE')).toContainText('best: 0.06');
    await plot('LEARNING_RATE').focus();
    await page.keyboard.press('ArrowRight');
    await expect(figure('LEARNING_RATE')).toContainText('#0 keep: 0.02 → 1.299000');
    await page.keyboard.press('ArrowRight');
    await expect(figure('LEARNING_RATE')).toContainText('#1 keep: 0.04 → 1.269000');
    await page.keyboard.press('Enter');
    await expect(cellOf(page, 1).panel).toBeVisible();
  });

  test('are weighed, and the source is named', async ({ page }) => {
    const { importance } = constants(page);
    await expect(importance).toContainText('By a Gaussian process fitted for this view, from 11 experiments');
    await expect(importance.getByRole('listitem').first()).toContainText('%');
    const shares = await importance.getByRole('listitem').allTextContents();
    const sum = shares.reduce((total, text) => total + Number(/(\d+) %/.exec(text)?.[1]), 0);
    expect(Math.abs(sum - 100)).toBeLessThan(5);
  });

  test('are chosen by stretches of their axes, which the table can show', CORE, async ({ page }) => {
    const { together, stretch, importance } = constants(page);
    // It puts the axes into another order.
    await expect(importance).toContainText('%');
    const size = await stretch('DEPTH').boundingBox();
    if (!size) throw new Error('the axis is not on the page');
    // `hover` waits until the axis has stopped moving.
    await stretch('DEPTH').hover({ position: { x: size.width / 2, y: size.height - 1 } });
    await page.mouse.down();
    const box = (await stretch('DEPTH').boundingBox()) ?? size;
    const x = box.x + box.width / 2;
    await page.mouse.move(x, box.y + box.height * 0.9);
    await page.mouse.move(x, box.y + box.height * 0.8);
    await page.mouse.up();
    await expect(together).toContainText('2 of 13 pass');
    await together.getByRole('button', { name: 'Show them in the table' }).click();
    await expect(page.getByRole('combobox', { name: 'Filter experiments' })).toHaveValue(
      /^DEPTH >= \S+ and DEPTH <= \S+$/,
    );
    await expect(page.getByRole('search', { name: 'Table' })).toContainText('2 of 14');
  });

  test('are chosen by keyboard too', async ({ page }) => {
    const { together, stretch } = constants(page);
    await stretch('DEPTH').focus();
    await page.keyboard.press('ArrowUp');
    await expect(together).toContainText('2 of 13 pass');
    await expect(stretch('DEPTH')).toHaveAttribute('aria-valuetext', /^\S+ to \S+$/);
    for (let presses = 0; presses < 15; presses += 1) await page.keyboard.press('Shift+ArrowUp');
    await expect(together).toContainText('13 of 13 pass');
    await page.keyboard.press('Escape');
    await expect(together).toContainText('Drag along an axis');
  });

  test('have an address and a name in the palette', async ({ page }) => {
    await expect(page).toHaveURL(/#\/study\/[^/]+\/constants$/);
    await page.reload();
    await expect(constants(page).plot('DEPTH')).toBeVisible();
    await page.keyboard.press('1');
    await runCommand(page, 'constants', 'Constants and their values');
    await expect(study(page).tab('Constants')).toHaveAttribute('aria-selected', 'true');
  });

  for (const width of [900, 1280, 1920]) {
    test(`look right at ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 1000 });
      await expect(constants(page).importance.getByRole('listitem').first()).toBeVisible();
      await look(page, 'constants');
    });
  }
});

test('the constants keep their order while the pointer is among them', async ({ page, night }) => {
  const answers = await holdAnswers(page);
  await openNotebook(page, night.server, NIGHT_TAG);
  answers.hold('studies/importance');
  await page.keyboard.press('7');
  const { together, importance } = constants(page);
  await expect(importance.getByRole('listitem')).toHaveCount(5);
  const orderOf = () =>
    together.getByRole('slider').evaluateAll(all => all.map(({ ariaLabel }) => ariaLabel));
  const [first, tall] = [await orderOf(), await importance.boundingBox()];
  await together.hover();
  answers.letGo();
  await expect(importance).toContainText('%');
  expect(await orderOf()).toEqual(first);
  await page.mouse.move(0, 0);
  await expect.poll(orderOf).not.toEqual(first);
  expect(tall).toEqual(await importance.boundingBox());
});

test('of few experiments the constants view says that they are too few', async ({
  page,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    turns: [{ hypothesis: 'Six layers', set: { DEPTH: '6' } }],
    seconds: 0.3,
  });
  await openWindow(page, await serve());
  await bench.hold();
  await startStudy(page, bench, { tag: NIGHT_TAG, experiments: 1 });
  await page.keyboard.press('7');
  await expect(page.getByText('No constant has been changed yet')).toBeVisible();
  await bench.untilHeld();
  await bench.letGo();
  await expect(constants(page).plot('DEPTH')).toHaveAccessibleName('DEPTH against val_bpb: 2 experiments');
  await expect(constants(page).importance).toContainText(
    'Too few experiments: 2 with a comparable number, and it takes 10',
  );
});
