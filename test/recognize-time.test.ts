import { describe, expect, test } from 'vitest';
import { assemble } from '../src/engine/contract/assemble.ts';
import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import { type Document, documentOf } from '../src/engine/contract/document.ts';
import { readFileRoles } from '../src/engine/contract/read-file-roles.ts';
import { TrackedPaths } from '../src/engine/contract/tracked-paths.ts';
import { cpuMs } from './support/clock.ts';
import { recognized, UPSTREAM } from './support/recognized.ts';

test.each([
  ['a line without end', 'x'.repeat(3_000_000)],
  ['backticks without end', '`a.py '.repeat(300_000)],
  ['many stars', `\`${'*a'.repeat(100)}.py\` the file you modify`],
  ['many openings', '(('.repeat(500_000)],
  ['a table without end', '| a '.repeat(500_000)],
  ['many dashes', `${'- '.repeat(500_000)}\n`],
  ['many digits before nothing', `Budget ${'1'.repeat(500_000)}`],
  ['a grep without end', `grep "${'^a:\\|'.repeat(100_000)}`],
  ['headings with much white space', `# x${' '.repeat(980)}x\n`.repeat(262)],
  ['lines with much white space', `\`a\` x${' '.repeat(980)}x\n\n`.repeat(262)],
  ['lines of marks', `\`a\` ${'.'.repeat(400)}x${'*'.repeat(400)}x\n\n`.repeat(300)],
  ['many commands', 'Run: `uv run train.py`\n'.repeat(50_000)],
])('a program of %s takes no time', async (_, program) => {
  const before = cpuMs();
  await recognized({ ...UPSTREAM, 'program.md': program });
  expect(cpuMs() - before).toBeLessThan(5_000);
});

test('code that prints without end takes no time', async () => {
  const before = cpuMs();
  const numbers = [...Array(20_000).keys()];
  await recognized({
    'prepare.py': `print("${'a='.repeat(400)}")\n`.repeat(300),
    'train.py': numbers.map(n => `print("points of x${n}: 1")`).join('\n'),
    'program.md': 'Maximize points of all.\n\n'.repeat(9_000),
  });
  expect(cpuMs() - before).toBeLessThan(5_000);
});

describe('in a commit of 20,000 files', () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);
  const tracked = new TrackedPaths(numbers.map(n => `src/part${n % 100}/file${n}.py`));
  const program = (text: string) => documentOf('program.md', Buffer.from(text));
  const editableOf = (document: Document) => {
    const base = autoresearchContract('', false);
    return assemble({
      ...{ tracked, roles: readFileRoles(document, tracked), isReserved: () => false },
      ...{ commands: [], naming: new Map(), metrics: [], goals: () => [], parts: [], code: [], findings: [] },
      base: { ...base, metric: { ...base.metric, name: null, goal: null } },
    });
  };

  test.each([
    [
      'a folder with a locked file in it',
      'You may edit `src/`.\n\nDo not modify `src/part1/file1.py`.\n',
      ['src/**', 'src/part1/file1.py'],
    ],
    [
      'a folder with many locked files in it',
      `You may edit \`src/\`.\n\n${numbers.map(n => `Do not modify \`file${n}.py\`.`).join('\n\n')}`,
      ['src/**', 'src/part0/file0.py', 'src/part1/file1.py'],
    ],
    [
      'thousands of patterns',
      `You may edit:\n\n${numbers.map(n => `- \`*${n}x*/*y\``).join('\n')}\n- \`src/part1/file1.py\`\n`,
      [],
    ],
  ])('%s takes no time', (_, text, candidates) => {
    const before = cpuMs();
    const { unclear } = editableOf(program(text));
    expect(cpuMs() - before).toBeLessThan(3_000);
    expect(unclear.find(({ name }) => name === 'editable')?.candidates).toEqual(candidates);
  });

  test('a folder of which nothing is locked is one pattern', () => {
    expect(editableOf(program('You may edit `src/part7/`.\n')).draft.editable).toEqual(['src/part7/**']);
  });
});
