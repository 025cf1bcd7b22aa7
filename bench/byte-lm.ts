import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ByteLmData, trainByteLm } from './byte-lm-port.ts';

const SAMPLE = fileURLToPath(new URL('../resources/samples/byte-lm', import.meta.url));
/** Writes the training and the validation text of `prepare.py` as hex, one line each. */
const DUMP = `import prepare
print(prepare.load_training_text().hex())
for passage in prepare._validation_passages(): print(passage.hex())`;

/** The sample's `train.py`. */
export function readByteLm(): Promise<string> {
  return readFile(join(SAMPLE, 'train.py'), 'utf8');
}

/** The same `train.py`, reading its text in another order: the difference is noise. */
export function withSeed(source: string, seed: number): string {
  return source.replace(/^SEED = \d+/m, `SEED = ${seed}`);
}

/**
 * Trains a `train.py` of byte-lm that differs from the sample's only in constants, once for each given text; null if
 * it fails. A training takes Python seconds, and a bench needs hundreds, so `trainByteLm` does them once it has given
 * the same number as Python for the sample and for a {@link variant} of it.
 * @param folder where it trains
 */
export async function byteLmTrainer(folder: string): Promise<(source: string) => number | null> {
  const python = await pythonTrainer(folder);
  const known = new Map<string, number | null>();
  const train = (source: string) => {
    const found = known.has(source) ? (known.get(source) ?? null) : trainByteLm(source, python.data);
    known.set(source, found);
    return found;
  };
  const sample = await readByteLm();
  for (const source of [sample, variant(sample)]) {
    const [own, wanted] = [train(source), await python.train(source)];
    if (own !== wanted) throw new Error(`The bench's training of byte-lm gives ${own}, Python's ${wanted}.`);
  }
  return train;
}

/** Another order, and the parts of the training that the sample leaves out. */
function variant(source: string): string {
  return withSeed(source, 7)
    .replace('ORDER = 3 ', 'ORDER = 5 ')
    .replace('UPDATE_EXCLUSION = False', 'UPDATE_EXCLUSION = True')
    .replace('MAX_CONTEXTS = 30_000', 'MAX_CONTEXTS = 500_000')
    .replace('CACHE_MATCH = 8 ', 'CACHE_MATCH = 3 ');
}

async function pythonTrainer(folder: string) {
  const python = process.env.PAWL_BENCH_PYTHON ?? 'python3';
  const copy = join(folder, 'byte-lm');
  await mkdir(copy);
  await cp(SAMPLE, copy, { recursive: true });
  const call = async (...words: readonly string[]) =>
    (await promisify(execFile)(python, ['-B', ...words], { cwd: copy, maxBuffer: 2 ** 26 })).stdout;
  const [text = '', ...passages] = (await call('-c', DUMP)).trim().split('\n');
  const data: ByteLmData = {
    text: Buffer.from(text, 'hex'),
    passages: passages.map(passage => Buffer.from(passage, 'hex')),
  };
  const train = async (source: string) => {
    await writeFile(join(copy, 'train.py'), source);
    const output = await call('train.py');
    if (output.includes('not comparable'))
      throw new Error('The machine is too busy: a training met its time limit.');
    return Number(/^val_bpb:\s+(\S+)$/m.exec(output)?.[1]);
  };
  return { data, train };
}
