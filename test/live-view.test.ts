import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { LiveView } from '../src/cli/live-view.ts';

test('the last lines round the gain as the debrief does', () => {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(stripVTControlCharacters(text)) };
  const view = new LiveView(stream as never);
  const tally = { finished: 6, keep: 3, discard: 2, crash: 1, bestExperiment: 2, claims: [] };
  const stopped = { type: 'study_stopped', reason: 'audited', detail: null, ...tally } as const;
  view.event({ ...stopped, baseline: 122, best: 119.8333 } as never);
  view.event({ ...stopped, baseline: 122, best: 122 } as never);
  view.end();
  const text = lines.join('');
  expect(text).toContain('best 119.833300 in #2 (−1.78 %)');
  expect(text).toContain('best 122.000000 in #2 (±0.00 %)');
});
