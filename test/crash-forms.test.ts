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

test.each([
  'jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 400000000000000 bytes.',
  'numpy._core._exceptions._ArrayMemoryError: Unable to allocate 728. TiB for an array with shape (1000000, 100000000)',
  "RuntimeError: [enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 400000000000000 bytes. Error code 12 (Cannot allocate memory)",
  'RuntimeError: MPS backend out of memory (MPS allocated: 8.00 GB)',
])('%s is a lack of memory', raised => {
  const text = `Traceback (most recent call last):\n  File "train.py", line 1, in <module>\n${raised}\n`;
  expect(crashOf(text)).toMatchObject({ class: 'out_of_memory', message: raised });
});

test.each([
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'memory allocation of 70368744177664 bytes failed',
])('%s, before a signal, is a lack of memory', line => {
  const { reader } = readOutput(`${line}\n`, { name: 'loss' });
  expect(reader.classify({ kind: 'signal', signal: 6 }, 'loss', 60)?.class).toBe('out_of_memory');
});

test('a warning that memory may run out says nothing about a run that fails', () => {
  expect(crashOf('UserWarning: with this batch size you may run out of memory\nfailed\n')?.class).toBe(
    'exception',
  );
});

test.each([
  ['node-exception', "TypeError: Cannot read properties of undefined (reading 'c')"],
  [
    'node-module',
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'flatqueue' imported from /home/user/project/bench.mjs",
  ],
  [
    'rust-panic',
    "thread 'main' panicked at main.rs:5:21: index out of bounds: the len is 0 but the index is 4",
  ],
  ['rustc', 'error[E0425]: cannot find value `y` in this scope'],
  ['go-panic', 'panic: runtime error: index out of range [2] with length 0'],
  ['go-compile', './main.go:4:2: declared and not used: x'],
  ['gcc-make', 'm.c:1:25: error: ‘undefined_name’ undeclared (first use in this function)'],
  ['shell-not-found', 'sh: 1: hyperfine: not found'],
])('the crash of %s says: %s', (name, cause) => {
  const crash = crashOf(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
  expect(crash).toMatchObject({ class: 'exception', message: `Ended with exit code 1: ${cause}` });
});

test('an error that is a measurement is not why a program failed', () => {
  expect(crashOf('error: 0.25\nTypeError: 3\nerror: -1\n')?.message).toBe(
    'Ended with exit code 1: TypeError: 3',
  );
  expect(crashOf('step 1\nerror: 0.25\n')?.message).toBe('Ended with exit code 1.');
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
