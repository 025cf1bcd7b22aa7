import { expect, test } from 'vitest';
import { mayBeOfSandbox, packageHint } from '../src/engine/stages/train/explain-crash.ts';

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
    '_pickle.UnpicklingError: Weights only load failed.',
  ];
  expect(wrong.filter(exception)).toEqual([]);
  const message = 'CUDA out of memory.';
  expect(mayBeOfSandbox({ class: 'out_of_memory', message })).toBe(false);
});

test('a program in JavaScript that lacks a package is advised to install it, unless a set-up command does', () => {
  const contract = { source: 'pawl.toml', setup: null } as const;
  const hint = (message: string, setup: string | null = null) =>
    packageHint({ message }, { ...contract, setup });
  const missing = "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'quickselect' imported from /w/index.js";
  expect(hint(missing)).toContain('"npm ci" as contract.setup');
  expect(hint("Error: Cannot find module 'zod'")).toContain('"npm ci"');
  expect(hint(missing, 'npm ci')).toBeNull();
  expect(hint("Error: Cannot find module '/w/other.js'")).toBeNull();
  expect(hint("Error: Cannot find module './other'")).toBeNull();
});
