import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { expectContained, PYTHON, study, versionOf, type Who } from '../../support/environment-study.ts';
import { contractFile, createRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { NO_SMALL_DISK, smallDisk } from '../../support/small-disk.ts';

/**
 * Builds the environments people work in, runs a study in each, and holds the table in docs/environments.md against what it
 * saw. `PAWL_WRITE_DOCS=1` writes the table.
 */

const run = promisify(execFile);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const TABLE = here('../../../docs/environments.md');
/** Where `npm run test:real` has installed uv and the libraries. */
const PROGRAMS = process.env.PAWL_REAL_PROGRAMS ?? '';

type Row = readonly [environment: string, contained: string, data: string, how: string, versions: string];
const rows: Row[] = [];

/** Adds a row for what was seen of both users; they have to agree. */
async function both(
  environment: string,
  how: string,
  versions: string,
  see: (who: Who) => Promise<{ readonly contained: string; readonly data?: string }>,
): Promise<void> {
  const [asRoot, asUser] = [await see('root'), await see('user')];
  expect(asUser).toEqual(asRoot);
  rows.push([environment, `${asRoot.contained}, as root and as a user`, asRoot.data ?? '–', how, versions]);
}

const python = async () => versionOf(PYTHON, '--version');
const bwrap = async () => versionOf('bwrap', '--version');

test('an activated venv', async () => {
  await both('`python3 -m venv`, activated', 'a real one, its python a link', await python(), async who => {
    const home = join(await temporaryFolder(), 'home');
    const venv = join(home, 'work', '.venv');
    await mkdir(dirname(venv), { recursive: true });
    await run(PYTHON, ['-m', 'venv', '--without-pip', venv]);
    const script = `test "$(python3 -c 'import sys; print(sys.prefix)')" = ${venv}`;
    const path = [join(venv, 'bin')];
    return expectContained(await study(who, { home, script, path, env: { VIRTUAL_ENV: venv } }));
  });
});

test('a venv in the checkout that the command names', async () => {
  const namedBy = (train: string) => async (who: Who) => {
    const repository = await createRepository({
      'train.py': [
        'import os, sys',
        'LR = 2',
        'assert sys.prefix == os.path.join(os.getcwd(), ".venv"), sys.prefix',
        'try:',
        '    open(os.path.join(sys.prefix, "by-a-run"), "w")',
        'except OSError:',
        '    print(f"val_bpb: {LR}")',
      ].join('\n'),
      'train.sh': '#!/bin/sh\nexec .venv/bin/python train.py\n',
      '.gitignore': '.venv\n',
      'pawl.toml': contractFile({ train, limitSeconds: 120 }).replace('["train.sh"]', '["train.py"]'),
    });
    await run(PYTHON, ['-m', 'venv', '--without-pip', join(repository, '.venv')]);
    const seen = await study(who, { repository, experiments: 1 });
    expect(existsSync(join(repository, '.venv', 'by-a-run'))).toBe(false);
    return expectContained(seen);
  };
  // The command itself, and a script that it starts.
  await namedBy('.venv/bin/python train.py')('user');
  await both('`.venv/bin/python` in the checkout', 'a real one', await python(), namedBy('sh train.sh'));
});

test('an environment of uv’s in the checkout', async () => {
  const uv = join(PROGRAMS, 'bin', 'uv');
  await both(
    '`uv venv` in the checkout, `uv run`',
    'real uv',
    await versionOf(uv, '--version'),
    async who => {
      const repository = await createRepository({
        'train.py':
          'import sys\nLR = 2\nassert sys.prefix.endswith(".venv"), sys.prefix\nprint(f"val_bpb: {LR}")\n',
        'pyproject.toml': '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.9"\n',
        '.gitignore': '.venv\n',
        'pawl.toml': contractFile({ train: 'uv run train.py', limitSeconds: 120 }).replace(
          'train.sh',
          'train.py',
        ),
      });
      const env = { UV_PYTHON_DOWNLOADS: 'never', UV_PYTHON: PYTHON };
      await run(uv, ['sync', '--quiet'], { cwd: repository, env: { ...process.env, ...env } });
      return expectContained(await study(who, { repository, path: [dirname(uv)], env, experiments: 1 }));
    },
  );
});

/** A project whose editable code is a package; the environment of the checkout leads to it. */
const PACKAGE = {
  'train.py': 'from rates import LR\nprint(f"val_bpb: {LR}")\n',
  'src/rates/__init__.py': 'LR = 2\n',
  '.gitignore': '.venv\n',
};
const packageContract = (train: string) =>
  contractFile({ train, limitSeconds: 120 }).replace('["train.sh"]', '["src/rates/__init__.py"]');

test('a project that is installed from the checkout', async () => {
  const uv = join(PROGRAMS, 'bin', 'uv');
  const env = { UV_PYTHON_DOWNLOADS: 'never', UV_PYTHON: PYTHON, PAWL_VERDICT: 'greedy' };
  await both(
    'the project itself installed in it (`uv sync`, `pip install -e .`)',
    'real uv',
    await versionOf(uv, '--version'),
    async who => {
      const repository = await createRepository({
        ...PACKAGE,
        // The build program that comes with this uv.
        'pyproject.toml':
          '[project]\nname = "rates"\nversion = "0"\nrequires-python = ">=3.9"\n[build-system]\nrequires = ["uv_build>=0.13,<0.14"]\nbuild-backend = "uv_build"\n',
        'pawl.toml': packageContract('uv run train.py'),
      });
      await run(uv, ['sync', '--quiet'], { cwd: repository, env: { ...process.env, ...env } });
      const seen = await study(who, { repository, path: [dirname(uv)], env, experiments: 1 });
      // The code of the attempt, and not that of the checkout.
      expect(seen.log).toMatch(/^val_bpb: (?!2\b)/m);
      return expectContained(seen);
    },
  );
});

test('a PYTHONPATH that leads into the checkout', async () => {
  for (const mode of ['required', 'off']) {
    const repository = await createRepository({
      ...PACKAGE,
      'pawl.toml': packageContract('python3 train.py'),
    });
    const env = { PYTHONPATH: join(repository, 'src'), PAWL_SANDBOX: mode, PAWL_VERDICT: 'greedy' };
    const seen = await study('user', { repository, env, experiments: 1 });
    expect(seen).toMatchObject({ code: 0, contained: Array(2).fill(mode === 'required') });
    expect(seen.log).toMatch(/^val_bpb: (?!2\b)/m);
  }
});

test('an environment that uv makes for the study', async () => {
  const uv = join(PROGRAMS, 'bin', 'uv');
  await both(
    '`uv run` without an environment',
    'real uv makes one with the baseline',
    await versionOf(uv, '--version'),
    async who => {
      const repository = await createRepository({
        'train.py':
          'import sys\nLR = 2\nassert "studies" in sys.prefix, sys.prefix\nprint(f"val_bpb: {LR}")\n',
        'pyproject.toml': '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.9"\n',
        'pawl.toml': contractFile({ train: 'uv run train.py', limitSeconds: 120 }).replace(
          'train.sh',
          'train.py',
        ),
      });
      const env = { UV_PYTHON_DOWNLOADS: 'never', UV_PYTHON: PYTHON };
      return expectContained(await study(who, { repository, path: [dirname(uv)], env, experiments: 1 }));
    },
  );
});

async function program(path: string, text: string): Promise<void> {
  await writeFiles(dirname(path), { [path.slice(path.lastIndexOf('/') + 1)]: text });
  await chmod(path, 0o755);
}

test('programs installed by npm, natively, and by version managers', async () => {
  const layouts: readonly (readonly [string, (home: string) => Promise<string>])[] = [
    [
      '`npm install --global` with a prefix in home',
      async home => {
        await program(join(home, '.npm-global/lib/node_modules/tool/cli.js'), '#!/bin/sh\necho tool\n');
        await mkdir(join(home, '.npm-global/bin'));
        await symlink('../lib/node_modules/tool/cli.js', join(home, '.npm-global/bin/tool'));
        return '.npm-global/bin';
      },
    ],
    [
      '`~/.local/bin/tool -> ../share/tool/versions/X`',
      async home => {
        await program(join(home, '.local/share/tool/versions/2.1'), '#!/bin/sh\necho tool\n');
        await mkdir(join(home, '.local/bin'));
        await symlink('../share/tool/versions/2.1', join(home, '.local/bin/tool'));
        return '.local/bin';
      },
    ],
    [
      'shims of a version manager (pyenv)',
      async home => {
        await program(join(home, '.pyenv/versions/3.11/bin/tool'), '#!/bin/sh\necho tool\n');
        await program(
          join(home, '.pyenv/shims/tool'),
          '#!/bin/sh\nexec "$HOME/.pyenv/versions/3.11/bin/tool"\n',
        );
        return '.pyenv/shims';
      },
    ],
    [
      'an environment of conda',
      async home => {
        await writeFiles(home, {
          'miniconda3/envs/ml/conda-meta/history': '',
          'miniconda3/envs/ml/lib/x': '',
        });
        await program(
          join(home, 'miniconda3/envs/ml/bin/tool'),
          '#!/bin/sh\ncat "$(dirname "$0")/../lib/x"\n',
        );
        return 'miniconda3/envs/ml/bin';
      },
    ],
  ];
  for (const [name, lay] of layouts) {
    await both(name, 'laid out as the installer does', await bwrap(), async who => {
      const home = join(await temporaryFolder(), 'home');
      const path = [join(home, await lay(home))];
      return expectContained(await study(who, { home, path, script: 'tool' }));
    });
  }
});

test('caches of the Hugging Face libraries, made and read by themselves', async () => {
  const pythonOf = join(PROGRAMS, 'bin', 'python');
  const versions = await versionOf(
    pythonOf,
    '-c',
    'from importlib.metadata import version as v; print(", ".join(f"{n} {v(n)}" for n in ["huggingface_hub", "datasets", "kernels"]))',
  );
  const made = join(await temporaryFolder(), 'home');
  const cache = (home: string) => join(home, '.cache', 'huggingface');
  await mkdir(cache(made), { recursive: true });
  const scripts = Object.fromEntries(
    await Promise.all(
      ['make_caches.py', 'read_caches.py'].map(
        async name => [name, await readFile(here(`hub/${name}`), 'utf8')] as const,
      ),
    ),
  );
  await both(
    'caches of hub, datasets and kernels',
    'made and read by the real libraries, offline',
    versions,
    async who => {
      const home = join(await temporaryFolder(), 'home');
      await mkdir(cache(home), { recursive: true });
      await run(pythonOf, [here('hub/make_caches.py'), cache(home)]);
      await writeFile(join(cache(home), 'token'), 'secret');
      const before = await listing(cache(home));
      const seen = await study(who, {
        home,
        files: scripts,
        contract: '[sandbox]\nreads = ["~/.cache/huggingface/files"]\n',
        env: { KERNELS_CACHE: join(cache(home), 'kernels') },
        script: `${pythonOf} read_caches.py "$HOME/.cache/huggingface"\ntest ! -s "$HOME/.cache/huggingface/token"`,
      });
      const answers = [...seen.log.matchAll(/^said (\S+) (yes|no)$/gm)].map(
        ([, name, word]) => `${name} ${word}`,
      );
      expect(answers.filter(answer => !answer.endsWith(' yes'))).toEqual([]);
      expect(answers, seen.log + seen.stderr).toHaveLength(15);
      // Locks and indexes came to nothing.
      expect(await listing(cache(home))).toBe(before);
      return { ...expectContained(seen), data: 'yes' };
    },
  );
});

/** Every file of a folder with its size and time. */
async function listing(folder: string): Promise<string> {
  return (await run('find', [folder, '-printf', '%P %s %T@ %l\\n'])).stdout.split('\n').sort().join('\n');
}

/** A PATH with the system's programs, but this in the place of bubblewrap. */
async function pathWithBwrap(script: string | null): Promise<string> {
  const bin = join(await temporaryFolder(), 'bin');
  await mkdir(bin);
  await chmod(dirname(bin), 0o755);
  const names = (await run('ls', ['/usr/bin'])).stdout.split('\n').filter(name => name && name !== 'bwrap');
  await Promise.all(names.map(name => symlink(join('/usr/bin', name), join(bin, name))));
  if (script !== null) await program(join(bin, 'bwrap'), script);
  return bin;
}

test('no bubblewrap, and one that may do nothing', async () => {
  for (const [environment, how, script] of [
    ['no bubblewrap', 'taken off the PATH', null],
    [
      'a bubblewrap that is forbidden to work',
      'a stand-in that says so',
      '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n',
    ],
  ] as const) {
    await both(environment, how, await bwrap(), async who => {
      const PATH = await pathWithBwrap(script);
      const seen = await study(who, { env: { PATH } });
      expect(seen).toMatchObject({ code: 0, contained: [false], verdicts: ['keep baseline'] });
      const refused = await study(who, { env: { PATH, PAWL_SANDBOX: 'required' } });
      expect(refused).toMatchObject({ code: 2, contained: [] });
      return { contained: 'no, and said' };
    });
  }
});

test.skipIf(NO_SMALL_DISK !== null)('a small disk', async () => {
  await both('a small disk (16 MB) that a training fills', 'a tmpfs', await bwrap(), async who => {
    const data = join(await smallDisk(16), 'data');
    const seen = await study(who, {
      data,
      script: '[ $LR = 2 ] || head -c 30000000 /dev/urandom > checkpoint',
      experiments: 2,
    });
    expect(seen.verdicts).toEqual(['keep baseline', 'crash disk_full', 'crash disk_full']);
    return expectContained(seen);
  });
});

const HEAD =
  '| environment | contained? | data found? | how tried | versions |\n| --- | --- | --- | --- | --- |\n';

afterAll(async () => {
  const table = HEAD + rows.map(row => `| ${row.join(' | ')} |\n`).join('');
  const page = await readFile(TABLE, 'utf8');
  const [before = '', rest = ''] = page.split('<!-- table -->\n');
  const after = rest.slice(rest.indexOf('<!-- end -->'));
  if (process.env.PAWL_WRITE_DOCS) {
    await writeFile(TABLE, `${before}<!-- table -->\n${table}${after}`);
    return;
  }
  // Versions are those of the day the table was written.
  const claims = (text: string) => text.split('\n').map(line => line.split(' | ').slice(0, 4).join(' | '));
  expect(claims(rest.slice(0, rest.indexOf('<!-- end -->')))).toEqual(claims(table));
});
