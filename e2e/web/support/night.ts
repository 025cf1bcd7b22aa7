import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, expect } from '@playwright/test';
import { Bench, type BenchPlace, type Turn, temporaryFolder } from './bench.ts';
import { Server } from './server.ts';
import { makeOnce, sharedFolder } from './shared.ts';
import { openWindow, startStudy, study } from './window.ts';

export const NIGHT_TAG = 'apr14';

/** A typical night: gains early, dead ends later, one crash, and one refused proposal. */
export const NIGHT_TURNS: readonly Turn[] = [
  {
    hypothesis: 'Double the learning rate to 0.04',
    rationale:
      'The loss still falls steeply at the end of the budget, so the run is limited by how far it gets. A larger step gets further; the curve shows no sign of instability yet.',
    predicted_effect: -0.02,
    category: 'optimizer',
    set: { LEARNING_RATE: '0.04' },
  },
  {
    hypothesis: 'Six layers instead of four',
    rationale: 'Memory is nowhere near its limit, and depth has paid better than width at this size.',
    predicted_effect: -0.012,
    category: 'architecture',
    set: { DEPTH: '6' },
  },
  {
    hypothesis: 'Strong weight decay of 0.5',
    rationale:
      'The corpus is small; a stronger pull towards zero may keep the model from learning it by heart.',
    predicted_effect: -0.004,
    category: 'regularization',
    set: { WEIGHT_DECAY: '0.5' },
  },
  {
    hypothesis: 'Batches of 512 for smoother gradients',
    rationale: 'Eight times the batch at the same learning rate: fewer, better steps.',
    predicted_effect: -0.01,
    category: 'optimizer',
    set: { BATCH_SIZE: '512' },
  },
  {
    hypothesis: 'Squared ReLU in place of GELU',
    rationale: 'Cheaper to compute, and sparse activations have worked well in speed runs.',
    predicted_effect: -0.005,
    category: 'architecture',
    set: { ACTIVATION: '"relu2"' },
  },
  {
    hypothesis: 'Warm up over the first third',
    predicted_effect: -0.002,
    category: 'schedule',
    set: { WARMUP_RATIO: '0.3' },
    isRefusedFirst: true,
  },
  {
    hypothesis: 'Learning rate 0.06',
    rationale: 'The last raise paid; half a step further.',
    predicted_effect: -0.008,
    category: 'optimizer',
    set: { LEARNING_RATE: '0.06' },
  },
  {
    hypothesis: 'Learning rate 0.16',
    predicted_effect: -0.004,
    category: 'optimizer',
    set: { LEARNING_RATE: '0.16' },
  },
  {
    hypothesis:
      'Twelve layers with everything else as it is, to see whether depth still pays when the budget allows only half as many steps as before',
    rationale: 'If it does, the budget is the limit and not the model.',
    predicted_effect: 0.003,
    category: 'architecture',
    set: { DEPTH: '12' },
  },
  {
    hypothesis: 'A short warm-up of one step in twenty',
    predicted_effect: -0.001,
    category: 'schedule',
    set: { WARMUP_RATIO: '0.05' },
  },
  {
    hypothesis: 'No weight decay at all',
    predicted_effect: 0,
    category: 'regularization',
    set: { WEIGHT_DECAY: '0.0' },
  },
  {
    hypothesis: 'Use the whole of the budget',
    rationale: 'Runs end early; the time is there.',
    predicted_effect: -0.002,
    category: 'schedule',
    set: { TRAIN_SECONDS: '2.4' },
  },
  {
    hypothesis: 'Weight decay 0.25',
    predicted_effect: -0.003,
    category: 'regularization',
    set: { WEIGHT_DECAY: '0.25' },
  },
];

/** A server with a finished study. */
export type Night = { readonly server: Server; readonly bench: Bench; readonly home: string };

/** The original night, which every worker copies. */
type Made = { readonly home: string; readonly bench: BenchPlace };

/**
 * Starts a server with its own copy of the data folder that the first worker creates. All workers share the same
 * repository.
 */
export async function startNight(browser: Browser): Promise<Night> {
  const made = await makeOnce('night', () => makeNight(browser));
  const home = await temporaryFolder('home');
  await cp(made.home, home, { recursive: true, verbatimSymlinks: true });
  return { home, bench: Bench.at(made.bench), server: await Server.start({ home }) };
}

/** Runs the whole night as a user would, in a served window. */
async function makeNight(browser: Browser): Promise<Made> {
  const folder = sharedFolder();
  const home = join(folder, 'home');
  await mkdir(home);
  const bench = await Bench.make({ turns: NIGHT_TURNS, seconds: 0.3, folder: join(folder, 'bench') });
  const server = await Server.start({ home });
  const page = await browser.newPage();
  await openWindow(page, server);
  await startStudy(page, bench, { tag: NIGHT_TAG, experiments: NIGHT_TURNS.length });
  await expect(study(page).header).toContainText('Ended');
  await page.close();
  await server.stop();
  return { home, bench: bench.place };
}

export async function endNight({ server, home }: Night): Promise<void> {
  await server.stop();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
