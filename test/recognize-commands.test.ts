import { expect, test } from 'vitest';
import { recognized, UPSTREAM } from './support/recognized.ts';

test('a sentence that begins like a command is none', async () => {
  const read = (line: string) =>
    recognized({
      'model.py': '',
      'program.md': `Edit \`model.py\` to lower \`val_bpb\`.\n\n- ${line}\n`,
    });
  for (const line of [
    'make small bug fixes only if they are required to reproduce the result',
    'go back to the last commit that was better',
  ]) {
    const { unclear } = await read(line);
    expect(unclear.find(({ name }) => name === 'train')?.candidates).toEqual([]);
  }
  expect((await read('run the experiment: make -j 4 bench')).draft.train).toBe('make -j 4 bench');
  expect((await read('run the experiment: go run ./cmd/train')).draft.train).toBe('go run ./cmd/train');
});

test('a command that is only mentioned in passing is asked about', async () => {
  const program = 'Edit only `pack.py`. Get the lowest `val_bpb`.\n\nSee `python other.py` too.\n';
  const found = await recognized({ 'program.md': program, 'pack.py': '', 'other.py': '' });
  expect(found.unclear.find(({ name }) => name === 'train')?.why).toBe(
    'It is not clear how to train: the only hint is python other.py (program.md:3).',
  );
});

test('a rule that quotes a question is shown whole', async () => {
  const rule = 'Do NOT ask "should I go on?" or "is that enough?" before the end.';
  const found = await recognized({ ...UPSTREAM, 'program.md': `${rule} Get the lowest \`val_bpb\`.\n` });
  expect(found.findings.filter(({ name }) => name === 'rules').map(({ value }) => value)).toEqual([rule]);
});

test('a file that is run only once is no rival of the one whose name trains', async () => {
  const program =
    'Edit only `train.py`. Get the lowest `val_bpb`.\n\nGet the data once with `python prepare.py`.\n';
  const { draft } = await recognized({ ...UPSTREAM, 'program.md': program });
  expect(draft.train).toBe('python3 train.py');
});

test('where the texts run another file and never the one whose name trains, it is asked about', async () => {
  const read = (step: string) =>
    recognized({
      ...UPSTREAM,
      'run.py': 'import train\n',
      'program.md': `Edit only \`train.py\`. Get the lowest \`val_bpb\`.\n\n${step}\n`,
    });
  const { unclear } = await read('The score comes from `python run.py`.');
  expect(unclear.find(({ name }) => name === 'train')?.candidates).toEqual([
    'python3 train.py',
    'python run.py',
  ]);
  expect((await read('3. **Evaluate** — run `python run.py` and read the line.')).draft.train).toBe(
    'python run.py',
  );
});
