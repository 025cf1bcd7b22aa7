import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { LiveView } from '../src/cli/live-view.ts';

function open() {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(stripVTControlCharacters(text)) };
  return { view: new LiveView(stream as never), lines };
}

test('the first lines name the lanes, those of one name once', () => {
  const { view, lines } = open();
  const started = {
    type: 'study_started',
    tag: 'night',
    baseCommit: 'c'.repeat(40),
    goal: 'minimize',
    uncontained: null,
  };
  view.event({ ...started, lanes: ['lab, GPU 0: H100', 'lab, GPU 1: H100'] } as never);
  view.event({ ...started, lanes: ['slurm', 'slurm'] } as never);
  view.event({ ...started, lanes: [] } as never);
  view.end();
  expect(lines.filter(line => /lanes?:/.test(line))).toEqual([
    '2 lanes: lab, GPU 0: H100; lab, GPU 1: H100\n',
    '2 lanes: slurm\n',
  ]);
});

test('the last lines round the gain as the debrief does', () => {
  const { view, lines } = open();
  const tally = { finished: 6, keep: 3, discard: 2, crash: 1, bestExperiment: 2, claims: [] };
  const stopped = { type: 'study_stopped', reason: 'audited', detail: null, ...tally } as const;
  view.event({ ...stopped, baseline: 122, best: 119.8333 } as never);
  view.event({ ...stopped, baseline: 122, best: 122 } as never);
  view.end();
  const text = lines.join('');
  expect(text).toContain('best 119.833300 in #2 (−1.78 %)');
  expect(text).toContain('best 122.000000 in #2 (±0.00 %)');
});

test('a baseline without a number tells its whole message, and where to look next', () => {
  const { view, lines } = open();
  const message = `Ended with exit code 0 but printed no loss. It printed ${'x 1 (line 1), '.repeat(20)}write a pattern.`;
  view.event({
    ...{ type: 'verdict', n: 0, verdict: 'crash', reason: 'crash', metric: null, delta: null },
    ...{ seconds: 3, hypothesis: 'Baseline', message },
  } as never);
  const tally = { finished: 1, keep: 0, discard: 0, crash: 1, baselineVerdict: 'crash', baseline: null };
  const stopped = { type: 'study_stopped', reason: 'baseline_failed', detail: null, claims: [] };
  view.event({ ...stopped, ...tally, best: null, bestExperiment: null } as never);
  view.end();
  const text = lines.join('');
  expect(text).toContain(message);
  expect(text).toContain('Stopped: The baseline gave no valid number.\n"pawl show 0 --log" shows');
});

test('why an experiment crashed is shown whole, however long its hypothesis is', () => {
  const { view, lines } = open();
  const crashed = {
    ...{
      type: 'verdict',
      n: 3,
      verdict: 'crash',
      reason: 'exception',
      metric: null,
      delta: null,
      memory: null,
    },
    ...{ seconds: 4, commit: null },
  } as const;
  const message = `ValueError: shapes (3,) and (4,) not aligned, ${'because the width was changed, '.repeat(4)}twice`;
  view.event({ ...crashed, hypothesis: 'Wider', message: 'KeyError: 3' } as never);
  view.event({ ...crashed, hypothesis: 'A wider model learns more. '.repeat(8), message } as never);
  view.end();
  expect(lines[0]).toMatch(/Wider: KeyError: 3\n$/);
  expect(lines.slice(1).map(line => line.trim())).toEqual([
    expect.stringMatching(/A wider model .*…$/),
    message,
  ]);
});
