import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTraining } from '../../../src/engine/process/run-training.ts';
import { slowness } from '../../support/clock.ts';
import { findMarked } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

const KILL_TIMES = { askMs: 500, verifyMs: 2_000 };

/** Runs a shell line as a training of a made-up study; `study` finds its processes. */
async function train(command: string, more: Partial<Parameters<typeof runTraining>[0]> = {}) {
  const folder = await temporaryFolder();
  const study = `test-${process.hrtime.bigint()}`;
  const logPath = join(folder, 'output.log');
  const result = runTraining({
    command,
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '', PAWL_RUN: `${study}/0.0` },
    logPath,
    limitSeconds: 30,
    onOutput: () => {},
    signal: new AbortController().signal,
    killTimes: KILL_TIMES,
    ...more,
  });
  return { result, study, logPath };
}

test('the log is what the program wrote, byte for byte', async () => {
  const { result, logPath } = await train("printf 'a\\nb\\r\\nc\\rd\\377\\033[1m'");
  expect(await result).toMatchObject({ outcome: { kind: 'exit', code: 0 }, logError: null });
  expect(await readFile(logPath, 'latin1')).toBe('a\nb\r\nc\rd\xff\x1b[1m');
});

test('a training that prints without end is ended at the limit', async () => {
  const { result, study } = await train('yes', { maxOutputBytes: 1_000_000 });
  const { outcome, outputBytes, survivors } = await result;
  expect(outcome).toEqual({ kind: 'flooded' });
  expect(outputBytes).toBeGreaterThan(1_000_000);
  expect(survivors).toEqual([]);
  expect(await findMarked(study)).toEqual([]);
});

test('an error of the caller leaves no process behind', async () => {
  const { result, study } = await train('sleep 60', {
    onStart: () => {
      throw new Error('the host failed');
    },
  });
  await expect(result).rejects.toThrow('the host failed');
  expect(await findMarked(study)).toEqual([]);
});

test('a program that is asked to end has its time also behind a line of several commands', async () => {
  const controller = new AbortController();
  let said = '';
  const program = "trap 'sleep 0.3; echo goodbye; exit' TERM; echo ready; while :; do sleep 0.05; done";
  const { result } = await train(`sh -c ${JSON.stringify(program)}; true`, {
    signal: controller.signal,
    onOutput: chunk => {
      said += chunk.toString();
      controller.abort();
    },
    killTimes: { askMs: 20_000, verifyMs: 2_000 },
  });
  expect((await result).outcome).toEqual({ kind: 'aborted' });
  expect(said).toContain('goodbye');
});

test('a process that became another program when it was asked is asked again', async () => {
  const controller = new AbortController();
  const { result, study } = await train(
    "trap 'exec sleep 50' TERM; echo ready; while :; do sleep 0.05; done",
    {
      signal: controller.signal,
      onOutput: () => controller.abort(),
      killTimes: { askMs: 20_000, verifyMs: 2_000 },
    },
  );
  expect((await result).seconds).toBeLessThan(15 * slowness());
  expect(await findMarked(study)).toEqual([]);
});

test('what a process starts when it is asked to end is killed at the limit', async () => {
  const controller = new AbortController();
  const { result, study } = await train("trap 'sleep 50 & wait' TERM; echo ready; sleep 60 & wait; wait", {
    signal: controller.signal,
    onOutput: () => controller.abort(),
    killTimes: { askMs: 500, verifyMs: 2_000 },
  });
  const { outcome, seconds } = await result;
  expect(outcome).toEqual({ kind: 'aborted' });
  expect(seconds).toBeLessThan(15 * slowness());
  expect(await findMarked(study)).toEqual([]);
});

/** Keeps the engine's loop from turning, as a machine under load or a suspended engine does. */
function hold(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

test('the last lines are read, however busy the loop is when the training ends', async () => {
  for (let round = 0; round < 2; round += 1) {
    const busy = setInterval(() => hold(250), 1);
    const { result, logPath } = await train('sleep 0.1; seq 1 4000; echo "val_bpb: 1"');
    const { outcome } = await result.finally(() => clearInterval(busy));
    expect(outcome).toEqual({ kind: 'exit', code: 0 });
    const lines = (await readFile(logPath, 'utf8')).split('\n');
    expect(lines.slice(-3)).toEqual(['4000', 'val_bpb: 1', '']);
    expect(lines).toHaveLength(4002);
  }
});

test('an engine that was held up over the limit looks whether the training had ended in time', async () => {
  const late = { limitSeconds: 1, onStart: () => hold(2_500) };
  const early = await (await train('sleep 0.2; exit 3', late)).result;
  expect(early.outcome).toEqual({ kind: 'exit', code: 3 });
  expect(early.seconds).toBeLessThan(1);
  const { outcome, seconds } = await (await train('sleep 1.5', late)).result;
  expect(outcome).toEqual({ kind: 'timeout' });
  expect(seconds).toBeGreaterThan(1);
});

test('time in which the engine and the training stood still, as in a paused container, is not part of the run', async () => {
  const standStill = (pid: number) => {
    process.kill(-pid, 'SIGSTOP');
    hold(6_000);
    process.kill(-pid, 'SIGCONT');
  };
  const onStart = (pid: number) => void setTimeout(standStill, 50, pid);
  const { outcome, seconds } = await (await train('sleep 1; exit 3', { limitSeconds: 4, onStart })).result;
  expect(outcome).toEqual({ kind: 'exit', code: 3 });
  expect(seconds).toBeLessThan(4);
});

test('who asks a question finds the input at its end', async () => {
  const questions = [
    'python3 -c \'input("Your choice? ")\'',
    "python3 -c 'import getpass; getpass.getpass()'",
    "sh -c 'read -r answer </dev/tty || echo EOFError'",
  ];
  for (const question of questions) {
    const { result, logPath } = await train(question);
    expect((await result).outcome.kind).toBe('exit');
    expect(await readFile(logPath, 'utf8')).toContain('EOFError');
  }
});

test('a program has a terminal for its output', async () => {
  const { result, logPath } = await train('[ -t 1 ] && [ -t 2 ] && stty size </dev/tty; ps -o tpgid= -p $$');
  expect((await result).outcome).toEqual({ kind: 'exit', code: 0 });
  const [size, group] = (await readFile(logPath, 'utf8')).split('\n');
  expect(size).toBe('50 200');
  // It is in the foreground of a terminal of its own, so that it hears when that one is hung up.
  expect(Number(group)).toBeGreaterThan(0);
});
