import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { sitting } from '../../support/pawl.ts';
import { createRepository, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { query } from '../../support/trainers.ts';

/** Cargo keeps what it compiles apart from programs since version 1.91. */
function keepsBuilds(): boolean {
  try {
    const [, minor] =
      /^cargo 1\.(\d+)/.exec(execFileSync('cargo', ['--version'], { encoding: 'utf8' })) ?? [];
    return Number(minor) >= 91;
  } catch {
    // This machine has no cargo.
    return false;
  }
}

const LAYERS = {
  'Cargo.toml': '[package]\nname = "layers"\nversion = "0.1.0"\nedition = "2021"\n',
  'src/lib.rs': 'pub fn square(x: f64) -> f64 { x * x }\n',
};

/** @param layers the folder of a crate that no run changes, as those are that cargo downloads */
const filesOf = (layers: string) => ({
  'Cargo.toml': `[package]
name = "training"
version = "0.1.0"
edition = "2021"
[dependencies]
layers = { path = "${layers}" }
`,
  'src/main.rs': 'const RATE: f64 = 0.5;\nfn main() { println!("loss: {}", layers::square(RATE)); }\n',
  '.gitignore': '/target\n',
  'pawl.toml': `[contract]
editable = ["src/main.rs"]
train = "cargo build --offline && ./target/debug/training"
[metric]
name = "loss"
[budget]
seconds = 60
[sandbox]
reads = ["${layers}"]
`,
});

test.skipIf(!HAS_SANDBOX || !keepsBuilds())(
  'a run of cargo compiles what it changed, and finds the other crates compiled by the baseline',
  async () => {
    const layers = join(await temporaryFolder(), 'layers');
    await writeFiles(layers, LAYERS);
    const repository = await createRepository(filesOf(layers));
    execFileSync('cargo', ['generate-lockfile', '--offline'], { cwd: repository });
    execFileSync('git', ['add', 'Cargo.lock'], { cwd: repository });
    execFileSync('git', ['commit', '-qm', 'lock'], { cwd: repository });
    const home = await temporaryFolder();
    const { code } = await sitting(['run', repository, '--tag', 'night', '-n', '2', '--proposer', 'search'], {
      home,
      env: { PAWL_SANDBOX: 'required' },
    });
    expect(code).toBe(0);
    const runs = query<{ n: number; k: number; study: string }>(
      home,
      'SELECT e.n, r.k, e.study_id AS study FROM run r JOIN experiment e ON e.id = r.experiment_id ORDER BY r.id',
    );
    const logs = await Promise.all(
      runs.map(async ({ n, k, study }) => {
        const log = await readFile(
          join(home, 'studies', study, 'runs', k === 0 ? `${n}` : `${n}.${k}`, 'output.log'),
          'utf8',
        );
        return {
          n,
          k,
          compiled: [...log.matchAll(/Compiling\S* (\w+)/g)].map(([, crate]) => crate),
          loss: Number(/loss: (\S+)/.exec(log)?.[1]),
        };
      }),
    );
    expect(logs[0]).toMatchObject({ n: 0, k: 0, compiled: ['layers', 'training'], loss: 0.25 });
    const others = logs.filter(({ n }) => n > 0);
    expect(others.length).toBeGreaterThanOrEqual(2);
    expect(others.map(({ compiled }) => compiled)).toEqual(others.map(() => ['training']));
    // The program that ran is that of the edit.
    expect(others.filter(({ loss }) => loss === 0.25)).toEqual([]);
  },
);
