import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTraining } from '../src/engine/training/run-training.ts';
import { findMarked } from './support/invariants.ts';
import { temporaryFolder } from './support/scaffold.ts';

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
  expect((await result).seconds).toBeLessThan(15);
  expect(await findMarked(study)).toEqual([]);
});

test('a process started while the others are asked to end is asked as well', async () => {
  const controller = new AbortController();
  const { result, study } = await train("trap 'sleep 50 & wait' TERM; echo ready; sleep 60 & wait; wait", {
    signal: controller.signal,
    onOutput: () => controller.abort(),
    killTimes: { askMs: 20_000, verifyMs: 2_000 },
  });
  const { outcome, seconds } = await result;
  expect(outcome).toEqual({ kind: 'aborted' });
  expect(seconds).toBeLessThan(15);
  expect(await findMarked(study)).toEqual([]);
});
