import type { Locator } from '@playwright/test';
import { openReceiver } from '../../test/support/receiver.ts';
import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { holdAnswers } from './support/hold-answers.ts';
import { cellOf, dialog, openWindow, runCommand, startStudy, study } from './support/window.ts';

/** Counts how often a button is enabled or disabled from now on, however briefly. */
async function watchDisabled(button: Locator): Promise<() => Promise<number>> {
  const count = await button.evaluateHandle(element => {
    const seen = { changes: 0 };
    const observer = new MutationObserver(changes => {
      seen.changes += changes.length;
    });
    observer.observe(element, { attributeFilter: ['disabled'] });
    return seen;
  });
  return () => count.evaluate(({ changes }) => changes);
}

test('the user is told over ntfy once they have seen word for word what is sent', async ({
  page,
  serve,
  makeBench,
}) => {
  const ntfy = await openReceiver([{ status: 403, body: 'wrong token' }]);
  const bench = await makeBench({
    turns: [{ hypothesis: 'Double the learning rate', set: { LEARNING_RATE: '0.04' } }],
  });
  const answers = await holdAnswers(page);
  await openWindow(page, await serve());
  await runCommand(page, 'elsewhere', 'Tell me elsewhere: ntfy, Slack, a webhook');
  const form = dialog(page, 'Tell me elsewhere');
  const on = form.getByRole('button', { name: 'Switch on' });
  await expect(on).toBeDisabled();
  await form.getByLabel('Address').fill('ntfy.sh/topic');
  await expect(form.getByText('Write an address that begins with https:// or http://.')).toBeVisible();
  await form.getByLabel('Address').fill(`${ntfy.url}/my-topic`);
  const sent = form.getByRole('region', { name: 'What is sent' });
  await expect(sent).toContainText('"topic": "my-topic"');
  await expect(sent).toContainText('New best: 0.9932');
  await expect(on).toBeEnabled();
  expect(ntfy.received).toEqual([]);

  await form.getByRole('button', { name: 'Send a test' }).click();
  await expect(page.getByText('The server answered 403: wrong token')).toBeVisible();
  await form.getByRole('button', { name: 'Send a test' }).click();
  await expect(page.getByText('The test message was taken.')).toBeVisible();

  await form.getByLabel('A study has ended').uncheck();
  await sent.getByRole('tab', { name: 'End' }).click();
  await expect(sent).toContainText('Switched off above: not sent.');
  await on.click();
  await expect(form.getByRole('status')).toHaveText('On');
  await page.keyboard.press('Escape');

  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(cellOf(page, 1).region).toContainText('keep');
  await expect(study(page).running).toBeHidden();
  await expect
    .poll(() => ntfy.received.map(({ body }) => body.title))
    .toEqual(['Pawl can reach you', 'Pawl can reach you', expect.stringMatching(/^New best: /)]);
  await runCommand(page, 'elsewhere', 'Tell me elsewhere: ntfy, Slack, a webhook');
  await expect(form.getByRole('status')).toContainText('On · last message sent');
  // The form stores a token, never shows it again, and can forget it.
  const save = form.getByRole('button', { name: 'Save' });
  await expect(sent).toContainText('"topic": "my-topic"');
  const changes = await watchDisabled(save);
  answers.hold('channel/preview');
  await form.getByLabel('Token').fill('tk_secret');
  await answers.untilHeld();
  // Not for a moment, as long as it is not shown what is sent.
  expect(await changes()).toBe(0);
  answers.letGo();
  await save.click();
  await expect(form.getByLabel('Token')).toHaveAttribute('placeholder', 'stored');
  await expect(sent).toContainText('authorization: Bearer your token');
  await form.getByRole('button', { name: 'Forget it' }).click();
  await expect(sent).not.toContainText('authorization');
  await save.click();
  await expect(form.getByLabel('Token')).toHaveAttribute('placeholder', 'none');
  await expect(save).toBeDisabled();
  await form.getByRole('button', { name: 'Switch off' }).click();
  await expect(form.getByRole('status')).toContainText('Off');
  ntfy.close();
});

test('the settings lead to it, and a Slack-style address is asked for in its own words', async ({
  page,
  serve,
}) => {
  await openWindow(page, await serve());
  await page.getByRole('button', { name: 'Settings' }).click();
  await dialog(page, 'Settings').getByRole('button', { name: 'Tell me elsewhere …' }).click();
  const form = dialog(page, 'Tell me elsewhere');
  await choose(form.getByLabel('Over'), 'Slack, Mattermost, Discord');
  await expect(
    form.getByText('The address of an incoming webhook; for Discord with /slack at its end.'),
  ).toBeVisible();
});
