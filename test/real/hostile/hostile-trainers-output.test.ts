import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { slowness } from '../../support/clock.ts';
import { eventsOf, RunningPawl } from '../../support/pawl.ts';
import { createRepository, temporaryFolder } from '../../support/scaffold.ts';
import {
  byExperiment,
  hostileStudy,
  logPath,
  peakMemoryMiB,
  query,
  TAG,
  trainerFiles,
} from '../../support/trainers.ts';

/** How much the flood prints; the measured rate is told where it runs. */
const FLOOD_MIB = Number(process.env.PAWL_TEST_FLOOD_MB ?? 512);

/** An engine that has to hold no more than its buffers stays below this, whatever is printed. */
const PEAK_MIB = 400;

/** Runs the baseline of a Python trainer and looks at the engine's memory while it still runs. */
async function baseline(script: string, limitSeconds: number) {
  const home = await temporaryFolder();
  const repository = await createRepository(
    trainerFiles({ script, limitSeconds: Math.ceil(limitSeconds * slowness()) }),
  );
  const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '1'], { home });
  const started = performance.now();
  await running.waitFor(event => event.type === 'verdict');
  // The next experiment has begun, so the engine lives and everything of the first run is behind it.
  await running.waitFor(event => event.type === 'run_started' && event.n === 1);
  const peakMiB = await peakMemoryMiB(running.child.pid ?? 0);
  const seconds = (performance.now() - started) / 1000;
  await running.kill();
  const [finished] = eventsOf(running.events, 'run_finished');
  const [verdict] = eventsOf(running.events, 'verdict');
  if (!finished || !verdict) throw new Error('no verdict');
  return { home, repository, running, peakMiB, seconds, finished, verdict };
}

test(`${FLOOD_MIB} MiB of output neither fill the memory nor lose a byte`, async () => {
  const line = 'step 00420 (43.8%) | loss: 3.123456 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8%    ';
  const { home, peakMiB, seconds, finished, verdict } = await baseline(
    byExperiment(
      `block = (b'\\r${line}' * 4096)[:262144]
for _ in range(${FLOOD_MIB} * 4): write(block)
report(0.5)`,
      'time.sleep(600)',
    ),
    500,
  );
  console.log(`${FLOOD_MIB} MiB in ${seconds.toFixed(1)} s, peak memory ${peakMiB.toFixed(0)} MiB`);
  expect(verdict).toMatchObject({ verdict: 'keep', reason: 'baseline', metric: 0.5 });
  const bytes = FLOOD_MIB * 2 ** 20 + '\n---\nval_bpb: 0.5\npeak_vram_mb: 1.0\n'.length;
  expect(finished.outputBytes).toBe(bytes);
  expect((await stat(logPath(home, verdict.study, 0))).size).toBe(bytes);
  expect(peakMiB).toBeGreaterThan(20);
  expect(peakMiB).toBeLessThan(PEAK_MIB);
});

test('one line of 50 MB without an end is cut, and the summary behind it is read', async () => {
  const { peakMiB, finished, verdict } = await baseline(
    byExperiment("write(b'x' * 50_000_000)\nreport(0.5)", 'time.sleep(600)'),
    60,
  );
  expect(verdict).toMatchObject({ verdict: 'keep', metric: 0.5 });
  expect(finished.outputBytes).toBeGreaterThan(50_000_000);
  expect(peakMiB).toBeLessThan(PEAK_MIB);
});

test.each([
  ['upstream prints it', String.raw`'\rstep %05d (1.0%%) | loss: 3.1 | dt: 315ms    '`],
  ['a bare counter', String.raw`'step %d\n'`],
])('a progress line without pause, as %s, is thinned', async (_, format) => {
  const { home, verdicts, metrics, events } = await hostileStudy({
    experiments: 0,
    limitSeconds: 50,
    script: `for start in range(0, 400_000, 1000):
    write(''.join(${format} % step for step in range(start, start + 1000)).encode())
report(0.5)
`,
  });
  expect(verdicts).toEqual(['keep baseline']);
  expect(metrics).toEqual([0.5]);
  const [{ points } = { points: 0 }] = query<{ points: number }>(
    home,
    'SELECT sum(points) AS points FROM series_chunk',
  );
  expect(points).toBeGreaterThan(20_000);
  expect(points).toBeLessThan(150_000);
  const [finished] = eventsOf(events, 'run_finished');
  const progress = eventsOf(events, 'progress').length;
  expect(progress).toBeLessThanOrEqual(10 * (finished?.seconds ?? 0) + 2);
});

test('a summary line with a bar in it is not thinned away with the progress', async () => {
  const { metrics } = await hostileStudy({
    experiments: 1,
    // Once after an even and once after an odd number of progress lines.
    script: `write(b'\\rstep 00001 (1.0%%) | loss: 3.1 | dt: 315ms    ' * (50_000 + n))
write(b'\\n---\\nval_bpb: %.1f | best of 3\\n' % (0.5 - n / 10))
`,
  });
  expect(metrics).toEqual([0.5, 0.4]);
});

test('new series names on every line do not fill the memory', async () => {
  const { peakMiB, verdict } = await baseline(
    byExperiment(
      `for line in range(10_000):
    write((' | '.join('key%d_%d: 1ms' % (line, key) for key in range(30)) + '\\n').encode())
report(0.5)`,
      'time.sleep(600)',
    ),
    15,
  );
  expect(verdict).toMatchObject({ verdict: 'keep', metric: 0.5 });
  expect(peakMiB).toBeLessThan(PEAK_MIB);
});

test.each([
  ['digits', "'val_bpb: ' + '1' * 12000 + ','"],
  ['grouped digits', "'val_bpb: 1' + ',111' * 4000 + ','"],
  ['letters and digits', "'val_bpb: 1' + 'a1' * 6000 + '!'"],
  ['series', "'step 1 | loss: ' + '1' * 12000 + ',x'"],
  ['spaces', "'val_bpb' + ' ' * 12000 + 'x'"],
  ['dashes', "'-' * 12000 + 'x'"],
  ['escapes', String.raw`'\x1b]' * 6000 + '\x1b[' * 3000`],
  ['parameters', String.raw`'\x1b[' + '1;' * 6000`],
  ['step counters', "'step 1' + ' ' * 6000 + '/' + ' ' * 6000"],
])('no line can hold the engine up: %s', async (_, line) => {
  const { verdicts, events } = await hostileStudy({
    experiments: 0,
    limitSeconds: Math.ceil(8 * slowness()),
    script: `write((${line} + '\\n').encode() * 20)\nreport(0.5)\n`,
  });
  expect(verdicts).toEqual(['keep baseline']);
  expect(eventsOf(events, 'run_finished')[0]?.seconds).toBeLessThan(5 * slowness());
});
