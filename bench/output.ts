import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { spawn } from 'node-pty';
import { OutputReader } from '../src/engine/metrics/output-reader.ts';
import { runTraining } from '../src/engine/training/run-training.ts';
import { printTable, quantile } from './report.ts';

const MEGABYTES = 200;
const ROUNDS = 3;
const LINE =
  '\rstep 00420 (43.8%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8% | epoch: 1 | remaining: 168s    ';

/** A child that prints progress as fast as it can: logged, parsed, and the engine stays awake. */
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
      const measured = await timeTraining(file, folder);
      if (measured.bytes !== size) throw new Error(`the log has ${measured.bytes} bytes of ${size}`);
      rates.push(size / 1e6 / measured.seconds);
      delays.push(measured.delayP99Ms);
      growths.push(measured.growthMegabytes);
    }
    const floor = quantile(floors, 0.5);
    const rate = quantile(rates, 0.5);
    const delay = quantile(delays, 0.5);
    const growth = quantile(growths, 0.5);
    printTable(`Output: ${MEGABYTES} MB of progress lines, median of ${ROUNDS} rounds`, [
      {
        what: 'throughput, logged and parsed',
        value: rate,
        unit: 'MB/s',
        reference: `cat through a pty, read and dropped: ${floor.toFixed(0)} MB/s`,
        ratio: rate / floor,
        isGood: null,
      },
      {
        what: 'event-loop delay, p99',
        value: delay,
        unit: 'ms',
        reference: 'at most 20 ms',
        ratio: null,
        isGood: delay <= 20,
      },
      {
        what: 'memory growth, peak',
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

async function timeTraining(file: string, folder: string) {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const reader = new OutputReader(
    () => {},
    () => (performance.now() - start) / 1000,
  );
  const result = await runTraining({
    command: `cat ${file}`,
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '', PAWL_RUN: 'bench/output' },
    logPath: join(folder, 'output.log'),
    limitSeconds: 600,
    onOutput: chunk => reader.push(chunk),
    signal: new AbortController().signal,
  });
  reader.end();
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  clearInterval(watch);
  return {
    seconds,
    bytes: result.outputBytes,
    delayP99Ms: delay.percentile(99) / 1e6,
    growthMegabytes: (peak - before) / 1024 / 1024,
  };
}
