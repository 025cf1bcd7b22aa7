import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { sitting } from './pawl.ts';
import { git, temporaryFolder } from './scaffold.ts';

/** A refusal exits with code 2 and one line on stderr, prints nothing on stdout, and makes nothing. */
export async function expectRefusal(repository: string, message: RegExp, args: readonly string[] = []) {
  const home = await temporaryFolder();
  const refs = existsSync(join(repository, '.git')) ? await git(repository, 'for-each-ref') : '';
  const result = await sitting(['run', repository, '--tag', 'night', '-n', '2', ...args], { home });
  expect(result.stderr).toMatch(message);
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(existsSync(join(home, 'worktrees'))).toBe(false);
  expect(existsSync(join(home, 'studies'))).toBe(false);
  if (existsSync(join(repository, '.git'))) expect(await git(repository, 'for-each-ref')).toBe(refs);
}
