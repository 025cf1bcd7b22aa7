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
    "Timed out after 1 s, the contract's limit. If the code needs longer, raise budget.limit_seconds in pawl.toml (or --limit in the terminal).",
  );
});

test('without a pawl.toml, it names where the limit can be raised', async () => {
  const repository = await createRepository({ 'train.sh': 'WIDTH=4\nexec sleep 600\n' });
  const contract = [
    '--editable',
    'train.sh',
    '--train',
    'sh train.sh',
    '--metric',
    'val_bpb',
    '--goal',
    'minimize',
  ];
  const { stdout } = await sitting(['run', repository, '--limit', '1', ...contract], {
    home: await temporaryFolder(),
  });
  expect(stdout).toContain(
    'raise the limit in set-up (or --limit in the terminal, or budget.limit_seconds in a pawl.toml).',
  );
  expect(stdout).not.toContain(' in pawl.toml');
});
