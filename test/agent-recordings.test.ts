import { expect, test } from 'vitest';
import { ADAPTERS, type Json } from '../src/engine/proposers/agent/adapters.ts';
import { AGENT_NAMES } from '../src/shared/study.ts';
import { type AgentRecording, readRecording, readRecordings } from './support/agent-recordings.ts';

/** What the real programs printed, as `npm run test:agents` recorded it, read by what Pawl knows of each. */

const recordings = await readRecordings();
/** Those after which there may be a proposal. */
const ANSWERS = ['success', 'prose', 'out-of-scope'];
/** Codex does not tell that its model declined: it says nothing, and that all is well. */
const isSilent = ({ agent, failure }: AgentRecording) => agent === 'codex' && failure === 'refusal';

function read({ agent, stdout }: AgentRecording) {
  const lines = stdout.split('\n').filter(line => line.startsWith('{'));
  return ADAPTERS[agent].read(lines.map(line => JSON.parse(line) as Json));
}

test.each(AGENT_NAMES)('the success of %s is read with its words and its tokens', async agent => {
  const output = read(await readRecording(agent, 'success'));
  expect(output).toMatchObject({ isComplete: true, error: null });
  expect(JSON.parse(output.text.split('\n').at(-1) ?? '')).toMatchObject({ hypothesis: 'LR becomes 8' });
  expect(output.usage.cacheRead).toBeGreaterThanOrEqual(6_000);
  expect(output.usage.output).toBeGreaterThanOrEqual(150);
});

test.each(recordings.filter(({ failure }) => ANSWERS.includes(failure)))(
  '$agent comes to its end with $failure',
  recording => {
    expect(recording).toMatchObject({ exitCode: 0, left: [] });
    expect(read(recording)).toMatchObject({ isComplete: true, error: null });
  },
);

test.each(recordings.filter(own => !ANSWERS.includes(own.failure) && !isSilent(own)))(
  '$agent is not taken to have come to a good end with $failure',
  recording => {
    const { isComplete, error } = read(recording);
    expect(isComplete && error === null && recording.exitCode === 0).toBe(false);
  },
);

test('a model that declines leaves Codex without a word', () => {
  for (const recording of recordings.filter(isSilent)) {
    expect(read(recording)).toMatchObject({ isComplete: true, error: null, text: '' });
  }
});

test('nothing of the machine they were recorded on is in them', () => {
  for (const { agent, failure, stdout, stderr } of recordings) {
    expect(stdout + stderr, `${agent} ${failure}`).not.toMatch(
      /\/root\/|\/var\/tmp|\/tmp\/pawl|\.cache\/pawl/,
    );
  }
});
