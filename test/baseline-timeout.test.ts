import { expect, test } from 'vitest';
import { sitting } from './support/pawl.ts';
import { createRepository, temporaryFolder } from './support/scaffold.ts';
import { SHELL_FILES } from './support/trainers.ts';

test('a baseline that its limit ends says first how to raise the limit', async () => {
  const repository = await createRepository({ ...SHELL_FILES, 'train.sh': 'WIDTH=4\nexec sleep 600\n' });
  const { code, stdout } = await sitting(['run', repository, '--limit', '1'], {
    home: await temporaryFolder(),
  });
  expect(code).toBe(3);
  expect(stdout).toContain(
    "Timed out after 1 s, the contract's limit. If the code needs longer, raise budget.limit_seconds in pawl.toml, in the terminal also with --limit.",
  );
});
