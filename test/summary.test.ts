import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import { citedSentences } from '../src/engine/summary/cited-sentences.ts';
import { writeSummary } from '../src/engine/summary/write-summary.ts';
import { KEY, lastText, modelNight, proposal } from './support/model-night.ts';
import type { Reply } from './support/model-server.ts';
import { pawl } from './support/pawl.ts';

test('only sentences that name experiments there are count, whatever Markdown is around them', () => {
  const text = `# Summary
- Doubling the rate helped (#1, #3). It is not proven.
2. Depth did nothing in #2!
Nothing is known of #99.
Try e.g. #3 again.`;
  expect(citedSentences(text, new Set([0, 1, 2, 3]))).toEqual({
    sentences: ['Doubling the rate helped (#1, #3).', 'Depth did nothing in #2!', 'Try e.g. #3 again.'],
    dropped: 3,
  });
  expect(citedSentences('', new Set([1]))).toEqual({ sentences: [], dropped: 0 });
});

/** A study of one experiment, then a model that writes `text`. */
async function written(text: string, capUsd: number | null = null) {
  const usage = { input: 1_000, output: 500 };
  const said: Reply = { kind: 'message', usage, blocks: [{ type: 'text', text }] };
  const night = await modelNight((_, index) => (index === 0 ? proposal('LR=2', 'LR=8') : said), {
    settings: { capUsd: { study: capUsd, sitting: null } },
  });
  await night.run();
  const { ledger } = night.engine;
  const study = ledger.studies.get(night.studyId);
  if (!study) throw new Error('no study');
  const ports = {
    ...{ ...night.engine.surroundings, ledger, now: () => Date.now() },
    paths: dataPaths({ PAWL_HOME: night.home }),
  };
  const ask = () => writeSummary(study, null, ports, new AbortController().signal);
  return { night, ledger, study, ask };
}

test('the study’s own model sums the debrief up; it is marked, kept, paid for and in the report', async () => {
  const { night, ledger, ask } = await written('A higher rate helped (#1). Buy more GPUs.');
  const summary = await ask();
  expect(summary).toMatchObject({
    ...{ model: 'claude-opus-5-5', finished: 2, sentences: ['A higher rate helped (#1).'], dropped: 1 },
  });
  // It reads the facts, and nothing of this machine.
  const request = night.server.requests.at(-1);
  expect(lastText(request)).toContain('LR=2 becomes LR=8');
  expect(lastText(request)).not.toContain(night.home);
  expect(JSON.stringify(request?.body)).not.toContain(KEY);
  expect(ledger.modelCalls.list(night.studyId, 1).at(-1)).toMatchObject({
    ...{ proposer: 'summary', outcome: 'ok', costUsd: 0.014 },
  });
  const { stdout } = await pawl(['report', night.repository], { home: night.home });
  expect(stdout).toMatch(/Written by claude-opus-5-5, .* UTC, and not measured: A higher rate helped/);
  // What it wrote before is nothing it is asked to repeat.
  await ask();
  expect(lastText(night.server.requests.at(-1))).not.toContain('Written by');
});

test('a text without a source is refused, and so is a call that the cap does not allow', async () => {
  const nothing = await written('It went well.');
  await expect(nothing.ask()).rejects.toThrow('claude-opus-5-5 wrote no sentence that names an experiment.');
  expect(nothing.ledger.summaries.newest(nothing.study.id, null)).toBeNull();
  const poor = await written('Good (#1).', 0.5);
  poor.ledger.write(() =>
    poor.ledger.modelCalls.begin(poor.study.id, {
      ...{ n: 1, at: 0, proposer: 'x', model: 'claude-opus-5-5', reservedUsd: 0.5 },
    }),
  );
  await expect(poor.ask()).rejects.toThrow(/The cap of \$0\.5 for this study does not allow another call/);
});
