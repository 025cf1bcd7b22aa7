import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutputReader } from '../src/engine/metrics/output-reader.ts';
import { runTraining } from '../src/engine/process/run-training.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

/** What a Python script's end is told as. */
async function crashOf(script: string): Promise<string | undefined> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'train.py': script });
  const reader = new OutputReader(
    () => {},
    () => 0,
  );
  const { outcome } = await runTraining({
    command: 'python3 train.py',
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '', PYTHONUNBUFFERED: '1', PAWL_RUN: 'test/0.0' },
    logPath: join(folder, 'output.log'),
    limitSeconds: 30,
    onOutput: chunk => reader.push(chunk),
    signal: new AbortController().signal,
  });
  reader.end();
  return reader.classify(outcome, 'val_bpb', 30)?.message;
}

test('a training that asks a question is a crash that names it', async () => {
  expect(await crashOf('input("Overwrite the checkpoint? [y/N] ")')).toBe(
    'It asked "Overwrite the checkpoint? [y/N]", but it has no input, so nobody can answer (EOFError: EOF when reading a line).',
  );
  expect(await crashOf('print("Which device?")\ninput()')).toContain('It asked "Which device?"');
  expect(await crashOf('import getpass\ngetpass.getpass("API key: ")')).toContain('It asked "API key:"');
  expect(await crashOf('import sys\nsys.stdout.write("Name: ")\nprint("Aborted!")\nsys.exit(1)')).toContain(
    'It asked "Name:"',
  );
  const file = 'EOFError: Compressed file ended before the end-of-stream marker was reached';
  expect(await crashOf(`print("Which file?")\nraise EOFError(${JSON.stringify(file.slice(10))})`)).toBe(file);
});
