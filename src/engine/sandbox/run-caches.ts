import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeBelow } from '../git/remove.ts';

/** In a lane's folder: the caches of its running training, at the same path in each run. */
export const CACHES = 'caches';
/** In a study's folder: what the baseline compiled; each run gets a copy. */
const LAYER = 'caches-of-baseline';
/** Marks that no run gets a copy. */
const NO_LAYER = 'caches-stay-empty';

/** Here `datasets` keeps what the code of a run made of data, and it may miss that an edit changed that code. */
const MADE_OF_DATA = 'huggingface';
/** Caches of programs that do not affect how fast a training starts. */
const NO_COMPILERS = new Set([
  MADE_OF_DATA,
  'matplotlib',
  'fontconfig',
  'pip',
  'uv',
  'wandb',
  'mesa_shader_cache',
]);
/** If filled caches let the baseline make this much more steps, it spends its budget on compiling. A share. */
const SAME_STEPS = 0.02;

export type RunCaches = {
  /** Whether the run began with the baseline's compiled files. */
  readonly isWarm: boolean;
};

/**
 * Gives a run its own caches: a copy of what the baseline compiled, or empty ones. Removes those of the run before.
 * @param folder the study's folder
 * @param laneFolder the lane's folder
 */
export async function layOutCaches(folder: string, laneFolder: string): Promise<RunCaches> {
  // The first run of a further lane finds no folder.
  await mkdir(laneFolder, { recursive: true });
  await removeBelow(laneFolder, CACHES);
  const isWarm = existsSync(join(folder, LAYER)) && !existsSync(join(folder, NO_LAYER));
  if (!isWarm) {
    await mkdir(join(laneFolder, CACHES));
    return { isWarm };
  }
  // If the file system supports it, a copy shares blocks until it is changed.
  await promisify(execFile)('cp', [
    '-a',
    '--reflink=auto',
    '--',
    join(folder, LAYER),
    join(laneFolder, CACHES),
  ]);
  return { isWarm };
}

/** Removes the caches for a lane's runs, for instance if the disk is full. */
export async function removeCaches(folder: string, laneFolder: string): Promise<void> {
  await removeBelow(laneFolder, CACHES);
  await removeBelow(folder, LAYER);
}

export type BaselineRun = RunCaches & {
  /** How many steps it made; null if unknown. */
  readonly steps: number | null;
  /** How many steps the run with empty caches made; null if there was none, or it did not say. */
  readonly stepsWhenCold: number | null;
  /** The maximum size of the layer, in bytes. */
  readonly maxBytes: number;
};

/**
 * Decides after a complete baseline run what later runs get. If it compiled, it fills the layer, and its number does
 * not count, because no later run has to wait for that. If compiling took time from its budget, later code would also
 * have to compile its own changes, so every run starts with empty caches instead.
 * @returns why its number does not count; null if it counts
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
  await removeBelow(join(laneFolder, CACHES), MADE_OF_DATA);
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
  const kibibytes = Math.ceil(bytes / 1024);
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}
