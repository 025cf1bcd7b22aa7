import { expect, test } from 'vitest';
import { mayBeOfSandbox } from '../src/engine/stages/train/explain-crash.ts';

const exception = (message: string) => mayBeOfSandbox({ class: 'exception', message });

test('a failed baseline is advised on the sandbox only if that may be the cause', () => {
  const missing = [
    "FileNotFoundError: [Errno 2] No such file or directory: '/data/train.bin'",
    'requests.exceptions.ConnectionError: Name or service not known',
    "ValueError: Couldn't find cache for squad",
    "ModuleNotFoundError: No module named 'torch'",
    'Ended with exit code 1.',
  ];
  expect(missing.filter(message => !exception(message))).toEqual([]);
  const wrong = [
    'AssertionError: assert n_embd % n_head == 0',
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    'torch._dynamo.exc.AttributeError: no attribute',
    "KeyError: 'lr'",
  ];
  expect(wrong.filter(exception)).toEqual([]);
  const message = 'CUDA out of memory.';
  expect(mayBeOfSandbox({ class: 'out_of_memory', message })).toBe(false);
});
