import type { Page } from '@playwright/test';
import type { Reply, RunningModelServer, Script } from '../../test/support/model-server.ts';
import type { Bench } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import type { Server } from './support/server.ts';
import {
  cellOf,
  chooseFrom,
  dialog,
  expectNoticeBeside,
  notebook,
  openCell,
  openWindow,
  runCommand,
  startModelStudy,
  study,
} from './support/window.ts';

function propose(hypothesis: string, rate: string): Reply {
  return {
    kind: 'message',
    blocks: [
      {
        type: 'tool_use',
        name: 'submit_proposal',
        input: {
          hypothesis,
          rationale: 'The loss still falls steeply at the end.',
          category: 'optimizer',
          predicted_effect: -0.02,
          differs: 'It does.',
          edits: [{ path: 'train.py', old: 'LEARNING_RATE = 0.02', new: `LEARNING_RATE = ${rate}` }],
        },
      },
    ],
  };
}

type Stage = {
  readonly page: Page;
  readonly serve: () => Promise<Server>;
  readonly bench: Bench;
  readonly answer: (reply: Script) => Promise<RunningModelServer>;
};

/**
 * Starts a study in approve mode. Its model answers with `reply`, which gets the number of the request. Returns a list
 * to which every request is added.
 */
async function begin(
  { page, serve, bench, answer }: Stage,
  reply: (turn: number) => Reply,
): Promise<readonly string[]> {
  const told: string[] = [];
  const model = await answer(request => reply(told.push(JSON.stringify(request.body))));
  await openWindow(page, await serve());
  await startModelStudy(page, bench, model.url, { asksApproval: true });
  return told;
}

function review(page: Page) {
  const region = page.getByRole('region', { name: 'Proposal that waits for you' });
  return {
    region,
    heading: region.getByRole('heading', { level: 2 }),
    decision: region.getByRole('group', { name: 'Your decision' }),
    button: (name: string | RegExp) => region.getByRole('button', { name }),
    lineOf: (text: string) => region.getByRole('row').filter({ hasText: text }).getByRole('button'),
  };
}

/** In a small window, side by side or not, the comment on a line has room, and all of it is seen where it is written. */
async function commentInSmallWindow(page: Page, line: string, text: string): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 900, height: 700 });
  const comment = review(page).region.getByRole('textbox', { name: /^Comment on line/ });
  for (const mode of ['Unified', 'Split']) {
    await review(page).button(mode).click();
    await review(page).lineOf(line).last().press('Enter');
    await expect(comment).toBeFocused();
    await page.keyboard.type(text);
    await expect(comment).toBeInViewport({ ratio: 1 });
    // One row of buttons and remarks leaves the window to the diff.
    expect((await review(page).decision.boundingBox())?.height, mode).toBeLessThan(60);
    expect((await comment.boundingBox())?.width, mode).toBeGreaterThan(400);
    await look(page, `review-comment-${mode.toLowerCase()}`);
    if (mode === 'Unified') await review(page).button('Remove the comment').click();
  }
  if (before) await page.setViewportSize(before);
}

/** Returns a colour of the theme in the form that computed styles use. */
function colourOf(page: Page, name: string): Promise<string> {
  return page.evaluate(variable => {
    const probe = document.createElement('i');
    probe.style.color = `var(${variable})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, name);
}

test('a proposal waits, goes back with a comment on a line, and runs as the user changed it', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  const told = await begin({ page, serve, bench, answer }, turn =>
    turn === 1 ? propose('Double the learning rate', '0.04') : propose('Half as far', '0.03'),
  );
  await expect(study(page).header).toContainText('Waiting for you');
  await expect(cellOf(page, 1).region).toContainText('your turn');
  await study(page).running.getByRole('button', { name: 'Review the proposal' }).click();
  await expect(review(page).heading).toHaveText('Double the learning rate');
  await expect(review(page).region).toContainText('expected change of val_bpb−0.02');
  await expect(review(page).button('Send back')).toBeDisabled();
  await expect(review(page).button('Reject')).toBeDisabled();

  await look(page, 'review');
  await commentInSmallWindow(page, 'LEARNING_RATE = 0.04', 'Twice is too far.');
  // A comment stays while the user looks at another tab.
  await study(page).tab('Notebook').click();
  await study(page).tab('Live').click();
  await expect(
    review(page).region.getByRole('textbox', { name: /^Comment on line \d+ of train.py$/ }),
  ).toHaveValue('Twice is too far.');
  await review(page).button('Send back with 1 comment').click();
  await expectNoticeBeside(page, review(page).button('Approve'));
  await expect(review(page).heading).toHaveText('Half as far');
  expect(told[1]).toContain('Twice is too far.');
  expect(told[1]).toContain('+LEARNING_RATE = 0.04');

  await review(page).button('Edit').click();
  const text = review(page).region.getByRole('textbox', { name: 'train.py' });
  // The editor marks the line that the proposal changed, and shows the line it replaces.
  await expect(text.locator('.cm-deletedChunk')).toHaveText('LEARNING_RATE = 0.02');
  await expect(text.locator('.cm-changedLine')).toHaveText('LEARNING_RATE = 0.03');
  await text.getByText('LEARNING_RATE = 0.03').click();
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('8');
  await expect(text.locator('.cm-changedLine')).toHaveText('LEARNING_RATE = 0.08');
  await expect(review(page).region.locator('.cm-lineNumbers')).toBeVisible();
  await expect(
    text
      .locator('span')
      .filter({ hasText: /^import$/ })
      .first(),
  ).toHaveCSS('color', await colourOf(page, '--code-keyword'));
  await expect(review(page).region.locator('.cm-scroller')).toHaveCSS('font-variant-ligatures', 'none');
  await look(page, 'review-edit');
  await review(page).button('Approve with my changes').click();
  await study(page).tab('Notebook').click();
  await expect(cellOf(page, 1).region).toContainText('keep');
  // The cell says what ran and not what was proposed.
  await expect(cellOf(page, 1).toggle).toHaveText('LEARNING_RATE from 0.02 to 0.08, as edited by you');
  await expect(cellOf(page, 1).region).toContainText('changed by you');
  const numbers = (await openCell(page, 1)).section('Numbers');
  await expect(numbers).toContainText(/reviewed\s*approved with your changes/);
  await look(page, 'edited-proposal');
  await openCell(page, 1, 'Diff');
  await expect(cellOf(page, 1).panel.getByText('LEARNING_RATE = 0.08')).toBeVisible();
  await expect(page.getByText('A proposal for #1 refused')).toBeVisible();
});

test('a rejection is remembered, and with approval switched off the study goes on by itself', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  const told = await begin({ page, serve, bench, answer }, turn => propose(`Idea ${turn}`, `0.0${turn + 2}`));
  await runCommand(page, 'review', 'Review the proposal');
  await expect(review(page).heading).toHaveText('Idea 1');
  await review(page).region.getByLabel('Remarks').fill('Leave the rate alone.');
  await review(page).button('Reject').click();
  await expect(review(page).heading).toHaveText('Idea 2');
  // The remarks belonged to the first proposal.
  await expect(review(page).region.getByLabel('Remarks')).toHaveValue('');
  expect(told[1]).toContain('Leave the rate alone.');
  await study(page).header.getByRole('button', { name: 'Proposals wait for your approval' }).click();
  await expect(study(page).header).toContainText('Ended');
  await study(page).tab('Notebook').click();
  await expect(notebook(page).mark('From here proposals run without your approval')).toBeVisible();
  await expect(cellOf(page, 1).region).toContainText('Idea 2');
});

test('a paused study says that it has to go on before anything is decided', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  await begin({ page, serve, bench, answer }, () => propose('Double the learning rate', '0.04'));
  await study(page).tab('Live').click();
  await expect(review(page).heading).toBeVisible();
  await study(page).control('Pause').click();
  await expect(review(page).region).toContainText('The study is paused. Continue it to decide.');
  await expect(review(page).button('Approve')).toBeDisabled();
  // The proposal can be read while the study is stopped too.
  await chooseFrom(page, study(page).control('Stop'), 'Stop after this experiment');
  await expect(review(page).region).toContainText('The study is stopped. Resume it to decide.');
  await study(page).control('Resume').click();
  await dialog(page, 'Resume night').getByRole('button', { name: 'Resume' }).click();
  await review(page).button('Approve').click();
  await expect(study(page).header).toContainText('Ended');
});
