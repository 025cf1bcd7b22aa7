import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  bin: Readonly<Record<string, string>>;
};

test.each(Object.entries(bin))(
  'the command %s has its run bit in git, so that npx leaves the checkout clean',
  (_name, path) => {
    const [mode] = execFileSync('git', ['ls-files', '--stage', '--', path], {
      cwd: ROOT,
      encoding: 'utf8',
    }).split(' ');
    expect(mode).toBe('100755');
  },
);
