import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOutput } from './support/read-output.ts';

/** What programs printed before they ended with exit code 1. */
const FOLDER = join(import.meta.dirname, 'fixtures', 'crash');

const crashOf = (text: string) =>
  readOutput(text, { name: 'loss' }).reader.classify({ kind: 'exit', code: 1 }, 'loss', 60);

const OUT_OF_MEMORY = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB';
const SHAPES = 'ValueError: shapes (3,) and (4,) not aligned';
const KILLED = 'Ended by signal 9, which the system sends when memory runs out.';

test.each([
  ['accelerate-out-of-memory', 'out_of_memory', OUT_OF_MEMORY],
  ['accelerate-killed', 'killed', KILLED],
  ['torchrun-out-of-memory', 'out_of_memory', OUT_OF_MEMORY],
  ['torchrun-exception', 'exception', SHAPES],
  ['torchrun-killed', 'killed', KILLED],
  ['exception-group', 'exception', SHAPES],
  ['typer', 'exception', `${SHAPES}, because the width of the model was changed and the head was not`],
])('the crash of %s is %s: %s', (name, kind, message) => {
  const crash = crashOf(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
  expect(crash).toMatchObject({ class: kind, message });
  if (kind !== 'killed') expect(crash?.tail.join('\n')).toContain(message);
});

test('a traceback long before has nothing to do with a program that fails', () => {
  const failed = 'subprocess.CalledProcessError: Command git returned non-zero exit status 1.';
  const lines = [
    ...['Traceback (most recent call last):', 'KeyError: 1', ...Array<string>(60).fill('step')],
    ...['Traceback (most recent call last):', failed],
  ];
  expect(crashOf(lines.join('\n'))).toMatchObject({ class: 'exception', message: failed });
});

test('a program that says its traceback is off has not been ended by a signal', () => {
  const raised = 'torch.distributed.elastic.multiprocessing.errors.ChildFailedError:';
  const lines = [
    ...['Traceback (most recent call last):', raised, '  traceback : Signal 15 (SIGTERM) received by PID 3'],
    '  traceback : To enable traceback see: the documentation',
  ];
  expect(crashOf(lines.join('\n'))).toMatchObject({ class: 'exception', message: raised });
});

test.each(['[rank0]: ', '(train pid=812) '])(
  'what stands before every line of a traceback (%s) is no part of it',
  prefix => {
    const lines = [
      ...[
        'Traceback (most recent call last):',
        '  File "train.py", line 3, in <module>',
        '    main()',
        SHAPES,
      ],
      ...['', 'Cleaning up'],
    ];
    const printed = `step 1 | loss: 3    ${lines.map(line => line && prefix + line).join('\n')}`;
    const crash = crashOf(printed);
    expect(crash).toMatchObject({ class: 'exception', message: SHAPES });
    expect(crash?.tail).toEqual(lines.slice(0, 4));
  },
);

test.each([
  [
    'an assertion without words says what it asserted',
    ['    assert BATCH % (DEVICE * LENGTH) == 0', '           ^^^^^^^^^~~~~~~~~~~~~~~~', 'AssertionError'],
    'AssertionError: assert BATCH % (DEVICE * LENGTH) == 0',
  ],
  [
    'a message that goes on in the next line is not cut before what it announces',
    [
      '    net.load_state_dict(old)',
      'RuntimeError: Error(s) in loading state_dict for GPT:',
      '\tMissing key(s): "head".',
    ],
    'RuntimeError: Error(s) in loading state_dict for GPT: Missing key(s): "head".',
  ],
])('%s', (_, lines, message) => {
  const start = ['Traceback (most recent call last):', '  File "train.py", line 3, in <module>'];
  expect(crashOf([...start, ...lines, ''].join('\n'))).toMatchObject({ class: 'exception', message });
});
