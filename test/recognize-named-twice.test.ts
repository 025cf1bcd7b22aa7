import { expect, test } from 'vitest';
import { asked, recognized } from './support/recognized.ts';

/** A command that a repository names in passing, but in two places. */

const PROGRAM =
  '# Loop\n\nEdit `model.py`. Everything else is off limits.\n\nThe metric is `val_loss`, lower is better.\n';
const README = '# Model\n\n## Usage\n\n```\npython run.py\n```\n';
const CODE = { 'model.py': 'LR = 1\n', 'run.py': 'import model\nprint(f"val_loss: {model.LR}")\n' };
const PROBE = { 'probe.py': 'import model\n' };

test.each([
  ['its README and a script', { 'README.md': README, 'run.sh': '#!/bin/sh\nexec python run.py "$@"\n' }],
  ['its README and a Makefile', { 'README.md': README, Makefile: 'run:\n\tpython run.py\n' }],
  [
    'its program and its README',
    { 'README.md': README, 'program.md': `${PROGRAM}\nUse \`python run.py\`.\n` },
  ],
  [
    'its README and a script, beside one that is named once',
    { ...PROBE, 'README.md': `${README}\n\`python probe.py\`\n`, 'run.sh': 'python3 ./run.py\n' },
  ],
])('a command that %s name is taken', async (_, files) => {
  const found = await recognized({ ...CODE, 'program.md': PROGRAM, ...files });
  expect(asked(found)).toMatchObject({ train: 'python run.py', unclear: [] });
  const { source } = found.findings.find(({ name }) => name === 'train') ?? {};
  expect(source).toMatch(/^(?:README|program)\.md:\d+, (?:run\.sh|Makefile|README\.md)$/);
});

test('a command that is named once is offered, and before it one that is named twice', async () => {
  const once = await recognized({ ...CODE, 'program.md': PROGRAM, 'README.md': README });
  expect(once.unclear).toMatchObject([{ name: 'train', candidates: ['python run.py'] }]);
  const launched = `${PROGRAM}\nRun the experiment: \`python probe.py\`\n\nRun the experiment: \`python run.py\`\n`;
  const torn = await recognized({ ...CODE, ...PROBE, 'program.md': launched, 'README.md': README });
  expect(torn.unclear).toMatchObject([{ name: 'train', candidates: ['python run.py', 'python probe.py'] }]);
});

test('the only file of its language is offered where nothing says what may be edited', async () => {
  const program = '# Loop\n\nThe metric is `val_loss`, lower is better.\n\nRun `python run.py > run.log`.\n';
  const files = { 'run.py': 'print("val_loss: 1")\n', 'program.md': program, 'data.csv': '1\n' };
  expect((await recognized(files)).unclear).toMatchObject([{ name: 'editable', candidates: ['run.py'] }]);
  expect((await recognized({ ...files, ...PROBE })).unclear).toMatchObject([
    { name: 'editable', candidates: [] },
  ]);
});
