import { expect } from 'vitest';
import { pawl } from './pawl.ts';
import { temporaryFolder } from './scaffold.ts';

export type Check = { name: string; outcome: string; detail: string };

/** The checks of `pawl doctor` on a repository. */
export async function examine(
  path: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<{ code: number | null; checks: readonly Check[]; failed: readonly Check[] }> {
  const { code, stdout, stderr } = await pawl(['doctor', path, '--json', ...args], {
    home: await temporaryFolder(),
    env,
  });
  expect(stderr).toBe('');
  const checks = JSON.parse(stdout) as Check[];
  return { code, checks, failed: checks.filter(check => check.outcome === 'failed') };
}
