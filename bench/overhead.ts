import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import type { SandboxMode } from '../src/shared/contract/contract.ts';
import type { EngineEvent } from '../src/shared/events.ts';
import { printTable, quantile } from './report.ts';

const run = promisify(execFile);
const EXPERIMENTS = 100;
const ROUNDS = 3;

/** Prints upstream's output and exits at once, without starting a process. */
const TRAINER = `LR=1000
DEPTH=100
WIDTH=768
WARMUP=0.05
BETA=0.95
printf '\\rstep 00001 (100.0%%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8%% | epoch: 1 | remaining: 0s    '
distance=$((LR - 30)); distance=\${distance#-}
printf '\\n---\\nval_bpb:          1.%06d\\ntraining_seconds: 300.1\\ntotal_seconds:    325.9\\npeak_vram_mb:     45060.2\\n' $distance
`;
const CONTRACT = `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "val_bpb"
memory = "peak_vram_mb"
[budget]
seconds = 5
`;
/** The same edits as in the reference loop. */
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
sed -i "s/^LR=.*/LR=$n/" train.sh; echo "{\\"hypothesis\\":\\"Set LR to $n\\"}"`;

type Proposer = Parameters<Engine['createStudy']>[0]['proposer'];
const SEARCH: Proposer = { kind: 'search', seed: 1 };
const COMMAND: Proposer = { kind: 'command', command: PROPOSER, timeoutSeconds: 20 };
type TimeOptions = [phases: Map<string, number> | null, sandbox?: SandboxMode];

/** Wall time per experiment, Pawl's against the bare loop's, in alternating rounds; the median counts. */
export async function benchOverhead(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const base = join(folder, 'base');
    await mkdir(base);
    await writeFile(join(base, 'train.sh'), TRAINER);
    await writeFile(join(base, 'pawl.toml'), CONTRACT);
    await run('git', ['init', '--quiet', '--initial-branch=main'], { cwd: base });
    await run('git', ['add', '--all'], { cwd: base });
    const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost'];
    await run('git', [...identity, 'commit', '--quiet', '--message=start'], { cwd: base });
    await run('git', ['config', 'user.name', 'Bench'], { cwd: base });
    await run('git', ['config', 'user.email', 'bench@localhost'], { cwd: base });
    const reference: number[] = [];
    const search: number[] = [];
    const command: number[] = [];
    const contained: number[] = [];
    const phases = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const copy = async (name: string) => {
        await cp(base, join(folder, `${name}-${round}`), { recursive: true });
        return join(folder, `${name}-${round}`);
      };
      const time = async (name: string, proposer: Proposer, ...more: TimeOptions) =>
        timePawl(await copy(name), join(folder, `home-${name}-${round}`), proposer, ...more);
      reference.push(await timeReference(await copy('reference')));
      search.push(await time('search', SEARCH, phases));
      command.push(await time('command', COMMAND, null));
      contained.push(await time('contained', SEARCH, null, 'preferred'));
    }
    const floor = quantile(reference, 0.5);
    const line = (what: string, times: readonly number[], bound: number | null) => {
      const value = quantile(times, 0.5);
      const ratio = value / floor;
      return {
        what,
        value,
        unit: 'ms',
        reference: `reference-loop.sh ${floor.toFixed(1)} ms`,
        ratio,
        isGood: bound === null ? null : ratio <= bound,
      };
    };
    printTable(`Overhead: wall time per experiment, ${EXPERIMENTS} experiments, median of ${ROUNDS} rounds`, [
      line('Pawl, search proposer', search, 1.7),
      line('Pawl, command proposer (one more process tree)', command, null),
      // The reference has no sandbox.
      line('Pawl, search proposer, in the sandbox where there is one', contained, null),
    ]);
    const total = [...phases.values()].reduce((sum, value) => sum + value, 0);
    printTable(
      'Where the time goes (search proposer, mean per experiment)',
      [...phases].map(([what, sum]) => ({
        what,
        value: sum / ROUNDS / EXPERIMENTS,
        unit: 'ms',
        reference: 'whole experiment',
        ratio: sum / total,
        isGood: null,
      })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timeReference(repository: string): Promise<number> {
  const script = fileURLToPath(new URL('reference-loop.sh', import.meta.url));
  const start = performance.now();
  await run('bash', [script, repository, String(EXPERIMENTS)]);
  return (performance.now() - start) / EXPERIMENTS;
}

/** Steady state: excludes the baseline and the engine's start, as bash's start is excluded above. */
async function timePawl(
  repository: string,
  home: string,
  proposer: Proposer,
  ...[phases, sandbox = 'off']: TimeOptions
): Promise<number> {
  const paths = dataPaths({ PAWL_HOME: home });
  const environment = { ...process.env, PAWL_SANDBOX: sandbox };
  const engine = await Engine.open({ paths, host: 'bench', environment }, repository);
  let start = 0;
  let last = 0;
  let label = '';
  const onEvent = (event: EngineEvent) => {
    const now = performance.now();
    if (start > 0 && phases && label) phases.set(label, (phases.get(label) ?? 0) + now - last);
    last = now;
    if (event.type === 'experiment_started') label = 'check out, propose, look at the edit';
    else if (event.type === 'proposed') label = 'commit, ref';
    else if (event.type === 'attempted') label = 'write the run down';
    else if (event.type === 'phase' && event.phase === 'training') label = 'train, end the process tree';
    else if (event.type === 'phase' && event.phase === 'measuring') label = 'look at the locked files';
    else if (event.type === 'run_finished') label = 'decide, write down, ratchet';
    else if (event.type === 'verdict' && event.n === 0) start = now;
  };
  try {
    const study = await engine.createStudy({
      repositoryPath: repository,
      tag: 'bench',
      proposer,
      stop: { experiments: EXPERIMENTS },
    });
    const end = await engine.run(study.id, {}, onEvent);
    if (end.reason !== 'experiments') throw new Error(`the study ended early: ${end.reason} ${end.detail}`);
    return (performance.now() - start) / EXPERIMENTS;
  } finally {
    engine.close();
  }
}
