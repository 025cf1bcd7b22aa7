import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SAMPLE = fileURLToPath(new URL('../resources/samples/byte-lm', import.meta.url));

/** The sample's `train.py`. */
export function readByteLm(): Promise<string> {
  return readFile(join(SAMPLE, 'train.py'), 'utf8');
}

/** The same `train.py` that reads its text in another order: the difference is noise. */
export function withSeed(source: string, seed: number): string {
  return source.replace(/^SEED = \d+/m, `SEED = ${seed}`);
}

/**
 * Trains a `train.py` of byte-lm, once for each text it is given; null where it fails. A counted budget gives the same score
 * however busy the machine is.
 * @param folder where it trains
 */
export function byteLmTrainer(folder: string): (source: string) => Promise<number | null> {
  const python = process.env.PAWL_BENCH_PYTHON ?? 'python3';
  const known = new Map<string, Promise<number | null>>();
  const train = async (source: string) => {
    const copy = await mkdtemp(join(folder, 'run-'));
    await cp(SAMPLE, copy, { recursive: true });
    await writeFile(join(copy, 'train.py'), source);
    const run = promisify(execFile)(python, ['-B', 'train.py'], { cwd: copy });
    const output = await run.then(
      ({ stdout }) => stdout,
      () => '',
    );
    await rm(copy, { recursive: true, force: true });
    if (output.includes('not comparable'))
      throw new Error('The machine is too busy: a training met its time limit.');
    const score = /^val_bpb:\s+(\S+)$/m.exec(output)?.[1];
    return score === undefined ? null : Number(score);
  };
  return source => {
    const found = known.get(source) ?? train(source);
    known.set(source, found);
    return found;
  };
}
