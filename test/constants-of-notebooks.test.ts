import { expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { cpuMs } from './support/clock.ts';
import { namesOfConstants as names, turnAll } from './support/constants.ts';

const cell = (type: string, source: string | readonly string[]) => ({
  ...{ cell_type: type, id: 'a', metadata: {}, source },
  ...(type === 'code' ? { execution_count: null, outputs: [{ text: ['ALPHA = 9\n'] }] } : {}),
});

const notebook = (...cells: readonly object[]) =>
  `${JSON.stringify({ cells, metadata: { depth: 3 }, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;

test('numbers in the code cells of a notebook are constants, and all else in it stays', () => {
  const source = notebook(
    cell('markdown', ['ALPHA = 7\n']),
    cell('code', [
      '%matplotlib inline\n',
      '!pip install x\n',
      'print("it\'s \\"é\\"")\n',
      'ALPHA = 1.5  # \\t "tab"\n',
      'SEED = 0',
    ]),
    cell('code', 'RATE = 0.5\nDEPTH = 4\n# do not change\nWIDTH = 8\n'),
    cell('code', ['# never change this\n', 'HEADS = 2\n', '\n', '# tunable\n', 'LAYERS = 2\n', 'RATE = 0.1']),
  );
  expect(names('train.ipynb', source)).toEqual(['ALPHA', 'LAYERS']);
  const { text } = turnAll('train.ipynb', source);
  const lines = source.split('\n');
  expect(
    text
      .split('\n')
      .filter((line, at) => line !== lines[at])
      .map(line => line.trim()),
  ).toEqual([...['"ALPHA = 3.0  # \\\\t \\"tab\\"\\n",', '"LAYERS = 3\\n",']]);
  expect(JSON.parse(text)).toMatchObject({ metadata: { depth: 3 } });
});

test('what is no notebook has none', () => {
  for (const text of [
    '',
    '[]',
    '{"cells": 3}',
    '{"cells": [{"cell_type": "code"}]}',
    '{"cells": [{"cell_type": "code", "source": [3]}',
    'A = 1',
  ]) {
    expect(names('a.ipynb', text)).toEqual([]);
  }
});

test('no notebook makes the reading slow', () => {
  for (const evil of ['\\', '%', ' %', '\\u0041', '["', 'A = 1\\n']) {
    const start = cpuMs();
    findConstants(
      'a.ipynb',
      `{"cells": [{"cell_type": "code", "source": "${evil.repeat(200_000 / evil.length)}"}]}`,
    );
    // Bounds the algorithm and times nothing, as for Python.
    expect(cpuMs() - start).toBeLessThan(15_000);
  }
});
