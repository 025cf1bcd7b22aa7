import { expect, test } from 'vitest';
import { examine } from './support/doctor.ts';
import { createRepository, writeFiles } from './support/scaffold.ts';

test('doctor warns of a folder of data that the code names and git ignores, from the folder of the command', async () => {
  const program = `parser.add_argument('--data', default='./data/wikitext-2')\nSAVE = 'outputs'\nlog("data is ready")\n`;
  const toml = (train: string) =>
    `[contract]\neditable = ["lm/main.py"]\ntrain = "${train}"\n[metric]\nname = "loss"\n`;
  const detailOf = async (train: string, more: Readonly<Record<string, string>>) => {
    const repository = await createRepository({
      'lm/main.py': program,
      '.gitignore': 'data\n',
      'pawl.toml': toml(train),
    });
    await writeFiles(repository, more);
    const { checks } = await examine(repository);
    return checks.find(({ name }) => name === 'data')?.detail;
  };
  const inside = { 'lm/data/wikitext-2/train.txt': 'x', 'lm/outputs/log.txt': 'x' };
  expect(await detailOf('cd lm && python3 main.py', inside)).toMatch(
    /lacks lm\/data\/wikitext-2\. .*setup = "mkdir -p lm\/data && cp -r \/\S+lm\/data\/wikitext-2 lm\/data" under/,
  );
  expect(await detailOf('python3 lm/main.py', { 'data/wikitext-2/raw/a.bin': 'x' })).toContain(
    'lacks data/wikitext-2.',
  );
  expect(await detailOf('python3 lm/main.py', inside)).toBeUndefined();
  expect(await detailOf('cd lm && python3 main.py', { 'lm/data/wikitext-2/read.me': 'x' })).toBeUndefined();
});

test('doctor warns of data that the code names, that lies in the checkout and that no commit has', async () => {
  const program = `open(os.path.join('data', split, "train.bin")); torch.save(model, 'last.pt'); open('old.csv')\n`;
  const toml = (more: string) =>
    `[contract]\neditable = ["train.py"]\ntrain = "python3 train.py"\n${more}[metric]\nname = "loss"\n`;
  const committed = {
    'train.py': program,
    'data/small/prepare.py': '',
    "data/my words'/prepare.py": '',
    'old.csv': '1\n',
    '.gitignore': '*.bin\n*.pt\n',
  };
  const detailOf = async (pawlToml: string, more: Readonly<Record<string, string>>) => {
    const repository = await createRepository({ ...committed, 'pawl.toml': pawlToml });
    await writeFiles(repository, more);
    const { checks } = await examine(repository);
    return checks.find(({ name }) => name === 'data') ?? null;
  };
  const made = { 'data/small/train.bin': 'x', 'data/small/other.bin': 'x', 'last.pt': 'x' };
  expect(await detailOf(toml(''), made)).toMatchObject({
    outcome: 'warning',
    detail: expect.stringMatching(
      /^A worktree .* lacks data\/small\/train\.bin\. .*setup = "cp \/.*train\.bin data\/small" under/,
    ),
  });
  expect((await detailOf(toml(''), { "data/my words'/train.bin": 'x' }))?.detail).toContain(
    String.raw`train.bin' 'data/my words'\\'''" under`,
  );
  expect(await detailOf(toml('setup = "true"\n'), made)).toBeNull();
  expect(await detailOf(toml(''), { 'data/small/other.bin': 'x' })).toBeNull();
});

test('doctor reads no editable file that is too large to be code', async () => {
  const repository = await createRepository({
    'train.py': 'open("train.bin")\n',
    'weights.bin': Buffer.alloc(80_000_000),
    '.gitignore': 'train.bin\n',
    'pawl.toml': '[contract]\neditable = ["*"]\ntrain = "python3 train.py"\n[metric]\nname = "loss"\n',
  });
  await writeFiles(repository, { 'train.bin': 'x' });
  const { checks } = await examine(repository);
  expect(checks.find(({ name }) => name === 'data')?.detail).toContain('lacks train.bin.');
});
