import { expect, test } from 'vitest';
import { withSign } from '../src/engine/proposers/agent/ask-command-line.ts';
import { isVain } from '../src/engine/proposers/agent/failure.ts';
import type { Answered } from '../src/engine/proposers/agent/launch.ts';
import { type CommandLine, parseLine, type Sign } from '../src/engine/proposers/agent/program.ts';
import { requireProgram } from '../src/engine/proposers/agent/programs.ts';
import { findTrouble } from '../src/engine/proposers/agent/trouble.ts';
import {
  type AgentRecording,
  REAL_NAMES,
  readRecording,
  readRecordings,
} from './support/agent-recordings.ts';
import { checkDocs } from './support/docs-table.ts';

/** What the real programs printed, as `npm run test:agents` recorded it, and what Pawl makes of it. */

const recordings = await readRecordings();
/** Those after which there may be a proposal: the files decide. */
const ANSWERS = ['success', 'prose', 'out-of-scope'];

function programOf(agent: string) {
  const program = requireProgram(agent, { agents: {} });
  if (program.how.kind !== 'command_line') throw new Error(`${agent} is not run on a command line`);
  return { program, how: program.how };
}

/** The sign at which Pawl ends the program; null where it lets it go on. */
function findVain(
  recording: AgentRecording,
  how: CommandLine,
): { readonly vain: Sign | null; readonly last: Sign | null } {
  const { program } = programOf(recording.agent);
  let last: Sign | null = null;
  for (const line of [...recording.stdout.split('\n'), ...recording.stderr.split('\n')]) {
    const sign = how.watch(line);
    if (!sign) continue;
    last = sign;
    if (isVain(program, sign)) return { vain: sign, last };
  }
  return { vain: null, last };
}

function replay(recording: AgentRecording): Answered & { readonly isEndedEarly: boolean } {
  const { how } = programOf(recording.agent);
  const { vain, last } = findVain(recording, how);
  const { stdout, stderr, exitCode, isStillTrying } = recording;
  const output = how.read(
    stdout
      .split('\n')
      .map(parseLine)
      .filter(line => line !== null),
  );
  const why = vain ? 'hopeless' : isStillTrying ? 'timeout' : exitCode === 0 ? null : 'exit';
  const result =
    why === null
      ? ({ kind: 'output', stdout, stderr } as const)
      : ({ kind: 'failed', why, message: `ended with ${exitCode}`, stdout, stderr } as const);
  return {
    result,
    output: output.isComplete && !vain ? output : withSign(output, last),
    isEndedEarly: vain !== null,
  };
}

function verdictOn(recording: AgentRecording) {
  const { isEndedEarly, ...answered } = replay(recording);
  const trouble = findTrouble(programOf(recording.agent).program, answered, false);
  return { trouble, isEndedEarly, outcome: trouble?.outcome ?? 'ok' };
}

test.each(REAL_NAMES)('the success of %s is read with its words and its tokens', async agent => {
  const { output } = replay(await readRecording(agent, 'success'));
  expect(output).toMatchObject({ isComplete: true, error: null });
  expect(JSON.parse(output.text.split('\n').at(-1) ?? '')).toMatchObject({ hypothesis: 'LR becomes 8' });
  expect(output.usage.cacheRead).toBeGreaterThanOrEqual(6_000);
  expect(output.usage.output).toBeGreaterThanOrEqual(150);
});

test.each([
  ['copilot', { input: null, output: null }, null],
  ['qwen', { input: 360, cacheRead: 90, output: 21 }, null],
  ['pi', { input: 360, cacheRead: 90, output: 21 }, expect.any(Number)],
  ['cline', { input: 360, cacheRead: 90, output: 21 }, null],
] as const)('the success of %s is read as well', async (agent, usage, costUsd) => {
  const { output } = replay(await readRecording(agent, 'success'));
  expect(output).toMatchObject({ isComplete: true, error: null, usage, costUsd });
  expect(JSON.parse(output.text)).toMatchObject({ title: 'Raise LR' });
});

/** What needs the user or a server to come back, by the end of the recording's name; anything else is asked again at once. */
const BLOCKED: Readonly<Record<string, readonly string[]>> = {
  'no-sign-in': ['unauthorized', 'connection'],
  'wrong-key': ['unauthorized'],
  quota: ['rate_limited'],
  'usage-limit': ['rate_limited'],
  'rate-limit': ['rate_limited'],
  overloaded: ['overloaded'],
  'server-error': ['server_error', 'overloaded'],
  'no-network': ['connection'],
  'no-server': ['connection'],
  'no-model': ['bad_request'],
  'cut-off': ['connection'],
};

test.each(recordings)('$agent, $failure: what is done about it', recording => {
  const { agent, failure } = recording;
  const { trouble, outcome } = verdictOn(recording);
  // Qwen Code and Cline tell nothing while they try: only the time they are given ends them.
  const isSilent =
    recording.isStillTrying && outcome === 'timeout' && (agent === 'qwen' || agent === 'cline');
  const kind = Object.keys(BLOCKED).find(name => failure === name || failure === `plain-${name}`);
  if (ANSWERS.includes(failure)) {
    expect(recording).toMatchObject({ exitCode: 0, left: [] });
    expect(trouble).toBeNull();
  } else if (kind !== undefined && !isSilent) {
    expect([agent, trouble?.answer.kind, trouble?.answer.message]).toEqual([
      agent,
      'blocked',
      expect.any(String),
    ]);
    expect(BLOCKED[kind]).toContain(outcome);
  } else if (failure === 'refusal' && agent === 'codex') {
    // It does not tell that its model declined: it says nothing, and that all is well. Nothing was changed then.
    expect(trouble).toBeNull();
  } else if (failure === 'silence' && agent === 'gemini') {
    // It waits for a minute, and calls a server that says nothing one that is not there.
    expect([trouble?.answer.kind, outcome]).toEqual(['blocked', 'connection']);
  } else {
    expect(trouble?.answer.kind).toBe('failed');
    if (failure === 'refusal') expect(outcome).toBe('refusal');
  }
});

test('what only the user can mend, and what would never end, is ended early', () => {
  const early = recordings.filter(recording => verdictOn(recording).isEndedEarly);
  expect(early.map(({ agent, failure }) => `${agent} ${failure}`)).toEqual([
    'claude wrong-key',
    ...[
      'codex no-network',
      'codex no-server',
      'codex no-sign-in',
      'codex plain-wrong-key',
      'codex wrong-key',
    ],
    ...[
      'gemini no-network',
      'gemini no-server',
      'gemini overloaded',
      'gemini rate-limit',
      'gemini server-error',
    ],
    ...['copilot no-server', 'copilot rate-limit', 'copilot wrong-key'],
  ]);
});

test('docs/agents.md has the table', async () => {
  const rows = recordings.map(recording => {
    const { agent, failure, exitCode, signal, seconds, isStillTrying } = recording;
    const { trouble, isEndedEarly, outcome } = verdictOn(recording);
    const end = isStillTrying
      ? `still trying after ${recording.limitSeconds} s`
      : `${exitCode ?? signal} after ${Math.round(seconds)} s`;
    const done = !trouble
      ? 'the files decide'
      : trouble.answer.kind === 'blocked'
        ? 'the search stands in'
        : 'asked again';
    return [agent, failure, end, outcome, isEndedEarly ? `${done}; ended early` : done];
  });
  await checkDocs(
    'docs/agents.md',
    'failures',
    ['program', 'what happened', 'how it ends by itself', 'outcome', 'what Pawl does'],
    rows,
  );
});

test('nothing of the machine they were recorded on is in them', () => {
  for (const { agent, failure, stdout, stderr } of recordings) {
    expect(stdout + stderr, `${agent} ${failure}`).not.toMatch(
      /\/root\/|\/var\/tmp|\/tmp\/pawl|\.cache\/pawl/,
    );
  }
});
