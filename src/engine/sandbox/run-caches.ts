import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeBelow } from '../git/remove.ts';

/** In a lane's folder: the caches that its running training has, at the same place in each run. */
export const CACHES = 'caches';
/** In a study's folder: what the baseline compiled; each run gets a copy. */
const LAYER = 'caches-of-baseline';
/** Says that no run gets one. */
const NO_LAYER = 'caches-stay-empty';

/** What other programs keep there says nothing of how fast a training starts. */
const NO_COMPILERS = new Set([
  'huggingface',
  'matplotlib',
  'fontconfig',
  'pip',
  'uv',
  'wandb',
  'mesa_shader_cache',
]);
/** A baseline that steps so much farther with filled caches spends its budget on compiling. A share. */
const SAME_STEPS = 0.02;

export type RunCaches = {
  /** Whether the run began with what the baseline compiled. */
  readonly isWarm: boolean;
};

/**
 * Gives a run caches of its own: a copy of what the baseline compiled, else none. What a run before left is gone.
 * @param folder the study's
 * @param laneFolder the lane's
 */
export async function layOutCaches(folder: string, laneFolder: string): Promise<RunCaches> {
  await removeBelow(laneFolder, CACHES);
  const isWarm = existsSync(join(folder, LAYER)) && !existsSync(join(folder, NO_LAYER));
  if (!isWarm) {
    await mkdir(join(laneFolder, CACHES), { recursive: true });
    return { isWarm };
  }
  // Where the file system can, a copy shares its blocks until it is changed.
  await promisify(execFile)('cp', [
    '-a',
    '--reflink=auto',
    '--',
    join(folder, LAYER),
    join(laneFolder, CACHES),
  ]);
  return { isWarm };
}

/** Takes back what the runs of a lane get, for instance where the disk is full. */
export async function removeCaches(folder: string, laneFolder: string): Promise<void> {
  await removeBelow(laneFolder, CACHES);
  await removeBelow(folder, LAYER);
}

export type BaselineRun = RunCaches & {
  /** How many steps it made; null where it does not say. */
  readonly steps: number | null;
  /** How many the run with empty caches made; null where there was none, or it did not say. */
  readonly stepsWhenCold: number | null;
  /** What the layer may hold, in bytes. */
  readonly maxBytes: number;
};

/**
 * What follows from a whole run of the baseline for those after it. One that compiled fills the layer, and its number does
 * not count: it had to wait for what no other run waits for. Where waiting took from its budget, later code would have to
 * wait for its own changes as well, so every run starts empty instead.
 * @returns why its number does not count; null where it does
 */
export async function settleCaches(
  folder: string,
  laneFolder: string,
  run: BaselineRun,
): Promise<string | null> {
  if (existsSync(join(folder, NO_LAYER))) return null;
  if (run.isWarm) {
    const { steps, stepsWhenCold } = run;
    if (steps === null || !stepsWhenCold || Math.abs(steps / stepsWhenCold - 1) <= SAME_STEPS) return null;
    await giveUpLayer(folder);
    return `it made ${steps} steps with filled compiler caches but ${stepsWhenCold} with empty ones; from now on every run starts with empty caches`;
  }
  const bytes = await compiledBytes(join(laneFolder, CACHES));
  if (bytes === 0) return null;
  if (bytes > run.maxBytes) {
    await giveUpLayer(folder);
    return null;
  }
  await removeBelow(folder, LAYER);
  await rename(join(laneFolder, CACHES), join(folder, LAYER));
  return `it compiled ${sizeText(bytes)} that later runs reuse`;
}

async function giveUpLayer(folder: string): Promise<void> {
  await writeFile(join(folder, NO_LAYER), '');
  await removeBelow(folder, LAYER);
}

async function compiledBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (NO_COMPILERS.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await compiledBytes(path);
    else if (entry.isFile()) sum += (await lstat(path)).size;
  }
  return sum;
}

function sizeText(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
