import { expect, test } from 'vitest';
import { recognized } from './support/recognized.ts';

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
