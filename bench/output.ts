import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { spawn } from 'node-pty';
import { dataPaths } from '../src/engine/paths.ts';
import { Engine } from '../src/engine/session/engine.ts';
import { scriptContract } from './bench-study.ts';
import { printTable, quantile } from './report.ts';

const run = promisify(execFile);
const CONTRACT = scriptContract(600);
const MEGABYTES = 200;
const ROUNDS = 3;
const LINE =
  '\rstep 00420 (43.8%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8% | epoch: 1 | remaining: 168s    ';

/** A child prints progress as fast as it can: the output is logged and parsed, and the engine stays responsive. */
export async function benchOutput(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const file = join(folder, 'progress');
    const lines = Math.floor((MEGABYTES * 1024 * 1024) / LINE.length);
    await writeFile(file, LINE.repeat(lines));
    const { size } = await stat(file);
    const floors: number[] = [];
    const rates: number[] = [];
    const delays: number[] = [];
    const growths: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      floors.push(size / 1e6 / (await timeCat(file)));
      const measured = await timeTraining(file, folder, round);
      if (measured.bytes < size) throw new Error(`the log has ${measured.bytes} bytes of ${size}`);
      rates.push(size / 1e6 / measured.seconds);
      delays.push(measured.delayP99Ms);
      growths.push(measured.growthMegabytes);
    }
    const floor = quantile(floors, 0.5);
    const rate = quantile(rates, 0.5);
    const delay = Math.max(...delays);
    const growth = Math.max(...growths);
    printTable(`Output: ${MEGABYTES} MB of progress lines, throughput as median of ${ROUNDS} rounds`, [
      {
        what: 'throughput of a study: logged, parsed, in the ledger',
        value: rate,
        unit: 'MB/s',
        reference: `cat through a pty, read and dropped: ${floor.toFixed(0)} MB/s`,
        ratio: rate / floor,
        isGood: null,
      },
      {
        what: 'event-loop delay, p99, worst round',
        value: delay,
        unit: 'ms',
        reference: 'at most 20 ms',
        ratio: null,
        isGood: delay <= 20,
      },
      {
        what: 'memory growth, peak, worst round',
        value: growth,
        unit: 'MB',
        reference: 'at most 64 MB',
        ratio: null,
        isGood: growth <= 64,
      },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function timeCat(file: string): Promise<number> {
  const start = performance.now();
  return new Promise(resolve => {
    const pty = spawn('/bin/cat', [file], { encoding: null });
    pty.onData(() => {});
    pty.onExit(() => resolve((performance.now() - start) / 1000));
  });
}

/** A whole study of one run, its baseline: everything a user's night involves, ledger and events included. */
async function timeTraining(file: string, folder: string, round: number) {
  const repository = join(folder, `repository-${round}`);
  await mkdir(repository);
  await writeFile(join(repository, 'train.sh'), `cat ${file}\nprintf '\\n---\\nval_bpb: 1.0\\n'\n`);
  await writeFile(join(repository, 'pawl.toml'), CONTRACT);
  await run('git', ['init', '--quiet'], { cwd: repository });
  await run('git', ['add', '--all'], { cwd: repository });
  const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost'];
  await run('git', [...identity, 'commit', '--quiet', '--message=start'], { cwd: repository });
  const paths = dataPaths({ PAWL_HOME: join(folder, `home-${round}`) });
  // The training reads a file that its sandbox would hide.
  const environment = { ...process.env, PAWL_SANDBOX: 'off' };
  const engine = await Engine.open({ paths, host: 'bench', environment }, repository);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const measured = { seconds: Number.NaN, bytes: 0, delayP99Ms: Number.NaN, growthMegabytes: 0 };
  let before = 0;
  let watch: NodeJS.Timeout | undefined;
  try {
    const study = await engine.createStudy({
      repositoryPath: repository,
      proposer: { kind: 'search', seed: 1 },
      stop: { experiments: 0 },
    });
    await engine.run(study.id, {}, event => {
      if (event.type === 'run_started') {
        globalThis.gc?.();
        before = process.memoryUsage.rss();
        delay.enable();
        watch = setInterval(() => {
          const growth = (process.memoryUsage.rss() - before) / 1024 / 1024;
          measured.growthMegabytes = Math.max(measured.growthMegabytes, growth);
        }, 20);
      } else if (event.type === 'run_finished') {
        delay.disable();
        clearInterval(watch);
        measured.seconds = event.seconds;
        measured.bytes = event.outputBytes;
        measured.delayP99Ms = delay.percentile(99) / 1e6;
      }
    });
  } finally {
    engine.close();
  }
  return measured;
}
