import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import { contractFromFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import { printTable, quantile } from './report.ts';

const run = promisify(execFile);
const EXPERIMENTS = 2;

/** A small model that `torch.compile` has to compile before its first step. */
const TRAIN = `import time
BEGAN = time.perf_counter()
WIDTH = 256
import torch
torch.manual_seed(1)
blocks = [m for _ in range(4) for m in (torch.nn.Linear(WIDTH, WIDTH), torch.nn.GELU(), torch.nn.LayerNorm(WIDTH))]
model = torch.nn.Sequential(*blocks)
step = torch.compile(lambda x: model(x).square().mean())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for n in range(20):
    loss = step(torch.randn(64, WIDTH))
    loss.backward(); optimizer.step(); optimizer.zero_grad()
    print(f'step {n:05d} | loss: {loss.item():.4f}', flush=True)
    if n == 0: first = time.perf_counter() - BEGAN
print(f'---\\nval_bpb: {loss.item():.6f}\\nfirst_step: {first:.3f}')
`;

/**
 * Time from start to first step when a training finds no compiler caches, when all runs share one folder of them, and
 * when each run gets a copy of what the baseline compiled, as in Pawl. Needs a Python with PyTorch:
 * PAWL_BENCH_PYTHON.
 */
export async function benchCaches(): Promise<void> {
  const python = process.env.PAWL_BENCH_PYTHON;
  if (!python) {
    console.log('\n### Caches: not measured. Name a Python that has PyTorch as PAWL_BENCH_PYTHON.');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const [empty, copied] = [await study(folder, python, 0), await study(folder, python, 512)];
    const shared = await byHand(folder, python);
    const median = (times: readonly number[]) => quantile(times, 0.5);
    const line = (what: string, times: readonly number[], isGood: boolean | null) => ({
      ...{ what, value: median(times), unit: 's', isGood },
      reference: `${times.map(time => time.toFixed(1)).join(', ')}; empty ${median(empty).toFixed(1)} s`,
      ratio: median(times) / median(empty),
    });
    printTable('Caches: start to first step with torch.compile', [
      line('empty in every run', empty, null),
      line('shared by all runs, without Pawl', shared, null),
      line('a copy of the baseline’s for each run', copied, median(copied) < median(empty)),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For each experiment after the baseline. */
async function study(folder: string, python: string, cacheMb: number): Promise<readonly number[]> {
  const repository = await makeRepository(folder, `repository-${cacheMb}`);
  const paths = dataPaths({ PAWL_HOME: join(folder, `home-${cacheMb}`) });
  const engine = await Engine.open({ paths, host: 'bench', environment: process.env }, repository);
  try {
    const command = `sed -i "s/^torch.manual_seed.*/torch.manual_seed($(date +%N | sed 's,^0*,,'))/" train.py; echo '{"hypothesis": "Another seed"}'`;
    const { id } = await engine.createStudy({
      repositoryPath: repository,
      contract: contractFromFile(
        contractFileSchema.parse({
          contract: { editable: ['train.py'], train: `${JSON.stringify(python)} train.py` },
          metric: { name: 'val_bpb' },
          budget: { seconds: 600 },
          sandbox: { cache_mb: cacheMb },
        }),
      ),
      proposer: { kind: 'command', command, timeoutSeconds: 60 },
      stop: { experiments: EXPERIMENTS },
    });
    await engine.run(id, {}, () => {});
    return Array.from({ length: EXPERIMENTS }, (_, at) => {
      const [first] = engine.ledger.runs.list(id, at + 1);
      return first?.summary?.first_step ?? Number.NaN;
    });
  } finally {
    engine.close();
  }
}

async function byHand(folder: string, python: string): Promise<readonly number[]> {
  const repository = await makeRepository(folder, 'by-hand');
  const caches = join(folder, 'shared');
  await mkdir(caches);
  const times: number[] = [];
  for (let round = 0; round <= EXPERIMENTS; round += 1) {
    const { stdout } = await run(python, ['train.py'], {
      cwd: repository,
      env: { ...process.env, TORCHINDUCTOR_CACHE_DIR: caches, TRITON_CACHE_DIR: join(caches, 'triton') },
    });
    times.push(Number(/first_step: ([\d.]+)/.exec(stdout)?.[1]));
  }
  return times.slice(1);
}

async function makeRepository(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, 'train.py'), TRAIN);
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org', ...args], { cwd: path });
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message=start');
  return path;
}
