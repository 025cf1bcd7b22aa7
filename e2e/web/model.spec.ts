import type { Reply } from '../../test/support/model-server.ts';
import { choose } from '../choose.ts';
import { expect, test } from './support/fixtures.ts';
import { look } from './support/look.ts';
import {
  cellOf,
  chooseFrom,
  chooseModel,
  dialog,
  openCell,
  openProject,
  openWindow,
  setUp,
  startModelStudy,
  study,
} from './support/window.ts';

const THINKING = 'Is the order of the data worth a try?';

const PROPOSAL: Reply = {
  kind: 'message',
  usage: { input: 1_000, cacheRead: 4_000, cacheWrite: 2_000, output: 500 },
  blocks: [
    { type: 'thinking', thinking: THINKING },
    {
      type: 'tool_use',
      name: 'submit_proposal',
      input: {
        hypothesis: 'Double the learning rate',
        rationale: 'The loss still falls steeply at the end.',
        category: 'optimizer',
        predicted_effect: -0.02,
        edits: [{ path: 'train.py', old: 'LEARNING_RATE = 0.02', new: 'LEARNING_RATE = 0.04' }],
      },
    },
  ],
};

const SUMMARY: Reply = {
  kind: 'message',
  blocks: [
    {
      type: 'text',
      text: 'Doubling the learning rate lowered the metric (#1), but one run is no proof. All is well.',
    },
  ],
};

test('a model is watched while it proposes, and its cost is told', async ({ page, serve, bench, answer }) => {
  let asked = 0;
  const model = await answer(() => {
    asked += 1;
    if (asked === 1) return { kind: 'hang', after: [{ type: 'thinking', thinking: THINKING }] };
    return asked === 2 ? PROPOSAL : SUMMARY;
  });
  await openWindow(page, await serve());
  await startModelStudy(page, bench, model.url);
  await expect(page.getByRole('region', { name: 'What the proposer is thinking' })).toContainText(THINKING);
  await chooseFrom(page, study(page).control('Stop'), 'Stop now …');
  await dialog(page, 'Stop now?').getByRole('button', { name: 'Stop now' }).click();
  await expect(study(page).header).toContainText('Stopped');

  await study(page).control('Resume').click();
  const resume = dialog(page, 'Resume night');
  await resume.getByLabel('Experiments').fill('11');
  const plan = resume.getByRole('status', { name: 'Planned spend' });
  await expect(plan).toContainText(/^Planned spend: about .* for 11 experiments at claude-opus-5-5/);
  await resume.getByLabel('Experiments').fill('1');
  await expect(plan).toContainText('for 1 experiment at');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(cellOf(page, 1).region).toContainText('keep');
  await expect(study(page).header).toContainText('$0.0248');
  const numbers = (await openCell(page, 1)).section('Numbers');
  await expect(numbers).toContainText(/proposed by\s*model claude-opus-5-5/);
  await expect(numbers).toContainText(/asked to\s*improve/);
  await expect(numbers).toContainText(/calls\s*2, 1 failed/);
  await expect(numbers).toContainText(/cost\s*\$0.0248 plus uncounted calls/);
  await expect(numbers).toContainText(/tokens out\s*50\d/);

  await chooseFrom(page, study(page).control('More'), 'Proposers …');
  const record = dialog(page, 'Proposers')
    .getByRole('listitem')
    .filter({ hasText: 'model claude-opus-5-5' })
    .first();
  await expect(record).toContainText('2, 50 % led to a proposal');
  await expect(record).toContainText('1: 1 kept, 0 discarded, 0 crashed');
  await expect(record).toContainText('$0.0248');
  await expect(record).toContainText('1 × cancelled');
  await page.keyboard.press('Escape');

  // The model also summarises the debrief.
  await study(page).tab('Debrief').click();
  await page.getByRole('button', { name: 'Let claude-opus-5-5 sum it up' }).click();
  const written = page.getByRole('region', { name: 'Written by a model' });
  await expect(written).toContainText('Written by claude-opus-5-5');
  await expect(written).toContainText('not measured; 1 sentence without a source was left out.');
  await expect(written).not.toContainText('All is well.');
  await look(page, 'debrief-summary');
  await written.getByRole('button', { name: '#1' }).click();
  await expect(cellOf(page, 1).panel).toBeVisible();
});

test('that a model declined and another answered is told', async ({ page, serve, bench, answer }) => {
  let asked = 0;
  const { promise: isSeen, resolve: see } = Promise.withResolvers<void>();
  const model = await answer(async () => {
    asked += 1;
    if (asked === 1) {
      return {
        ...{ kind: 'message', blocks: [], stopReason: 'refusal' },
        stopDetails: { type: 'refusal', category: 'cyber', explanation: 'It asks for an exploit.' },
      };
    }
    if (asked === 2) await isSeen;
    return { ...(PROPOSAL as Extract<Reply, { kind: 'message' }>), model: 'claude-opus-4-8' };
  });
  await openWindow(page, await serve());
  await startModelStudy(page, bench, model.url);
  const declined = 'The model declined to answer (cyber): It asks for an exploit.';
  await expect(page.getByRole('region', { name: 'What the proposer is thinking' })).toContainText(declined);
  see();
  await expect(cellOf(page, 1).region).toContainText('keep');
  const said = (await openCell(page, 1)).section('What the calls said');
  await expect(said.getByRole('listitem')).toHaveText([
    declined,
    'claude-opus-4-8 answered instead of claude-opus-5-5.',
  ]);
});

test('a key that is not accepted pauses the study until the user says go on', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  let asked = 0;
  const model = await answer(() => {
    asked += 1;
    return asked === 1 ? { kind: 'error', status: 401, message: 'invalid x-api-key' } : PROPOSAL;
  });
  await openWindow(page, await serve());
  await startModelStudy(page, bench, model.url, { standsIn: false });
  await expect(study(page).header).toContainText('Paused');
  await expect(page.getByText('The proposer needs you.').first()).toBeVisible();
  await study(page).control('Continue').click();
  await expect(cellOf(page, 1).region).toContainText('keep');
});

test('what a night will cost is planned in the set-up', async ({ page, serve, bench, answer }) => {
  const model = await answer(() => PROPOSAL);
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  await chooseModel(page, model.url);
  const form = setUp(page);
  const plan = page.getByRole('status', { name: 'Planned spend' });
  await expect(plan).toHaveText(
    /^Planned spend: about \$[\d.]+–[\d.]+ for 100 experiments at claude-opus-5-5 \(estimated: nothing was measured yet\)\.$/,
  );
  await form.field('Experiments').fill('');
  await expect(plan).toContainText('an experiment at claude-opus-5-5');
  await form.field('Experiments').fill('50');
  await form.field('Model').fill('llama');
  await expect(plan).toHaveText('Planned spend: no price is known for llama, so there is no estimate.');
  await form.field('Model').fill('claude-haiku-5-5');
  await expect(plan).toContainText('for 50 experiments at claude-haiku-5-5');
  // Without a key, the window asks no server for a list of models.
  await choose(form.field('Key'), 'ANTHROPIC_API_KEY from the environment');
  await form.field('Server').fill('');
  await form.field('Model').fill('claude-sonnet-4-5');
  await expect(page.getByText('claude-sonnet-4-5 is retired on November 30th, 2026')).toBeVisible();
});

test('what cannot work is refused where it is written', async ({ page, serve, bench, answer }) => {
  const model = await answer(() => PROPOSAL);
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  const form = setUp(page);
  await choose(form.field('Proposer'), 'A language model (Messages API)');
  await choose(form.field('Key'), 'None: the server needs no key');
  await form.field('Server').fill('my server');
  await form.start.click();
  await expect(page.getByText('Write an address that begins with http.').first()).toBeVisible();
  await form.field('Server').fill(model.url);
  await expect(page.getByText('2 models offered')).toBeVisible();
  await choose(form.field('Proposer'), 'An agent on the command line');
  await choose(form.field('Agent'), /^OpenCode(?: \(|$)/);
  await expect(
    page.getByText(/^Not installed on this machine|; signed in$|no sign-in seen/).first(),
  ).toBeVisible();
  await choose(form.field('Proposer'), 'A language model (Messages API)');
  await form.field('Model').fill('a-model-without-a-price');
  await form.start.click();
  await expect(page.getByText(/knows no price for a-model-without-a-price/)).toBeVisible();
});

test('of several proposers each is asked where those before it have nothing', async ({
  page,
  serve,
  bench,
  answer,
}) => {
  const model = await answer(() => ({ kind: 'error', status: 401, message: 'invalid x-api-key' }));
  await openWindow(page, await serve());
  await openProject(page, bench.repository);
  const form = setUp(page);
  const arm = (place: number) => page.getByRole('group', { name: `Proposer ${place}` });
  await choose(form.field('Proposer'), 'A command that edits the files');
  await form.field('Command line').fill(bench.command);
  await form.unfold('More about the proposer');
  await page.getByRole('button', { name: 'Add another proposer' }).click();
  await choose(arm(2).getByLabel('Proposer', { exact: true }), 'A language model (Messages API)');
  await choose(arm(2).getByLabel('Key'), 'None: the server needs no key');
  await arm(2).getByLabel('Server').fill(model.url);
  await page.getByRole('button', { name: 'Add another proposer' }).click();
  await arm(3).getByLabel('Seed').fill('x');
  await expect(arm(3)).toContainText('Write a number.');
  await arm(3).getByRole('button', { name: 'Remove' }).click();
  await arm(2).getByRole('button', { name: 'Up' }).click();
  await expect(arm(1).getByLabel('Server')).toHaveValue(model.url);
  await expect(arm(2).getByLabel('Command line')).toHaveValue(bench.command);
  await form.field('Experiments').fill('3');
  await form.field('Name of the study').fill('night');
  await form.start.click();
  await expect(study(page).header).toContainText('Ended');
  const numbers = (await openCell(page, 1)).section('Numbers');
  await expect(numbers).toContainText(/proposed by\s*command/);
  // A failure that only the user can fix delays the next try, and the notebook says so.
  await expect(
    page.getByText(
      /^model claude-opus-5-5 could not propose\. .*rejected the key.* asked again after 30 min\.$/,
    ),
  ).toBeVisible();
});
