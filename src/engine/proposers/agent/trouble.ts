import type { CallOutcome } from '../../../shared/proposers/model-calls.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import { failed } from '../answer.ts';
import type { ProposerAnswer } from '../proposer.ts';
import { failureOf, HANDLING, ownFailureOf } from './failure.ts';
import type { Answered } from './launch.ts';
import type { AgentProgram } from './program.ts';

/** A sign-in that is kept elsewhere, such as a keyring, cannot be reached from a sandbox. */
const KEYRING_HINT =
  'It ran in the sandbox, which gives access to its own sign-in file and keys in variables, but not to the system’s keyring or other programs’ files; PAWL_SANDBOX=off runs it without a sandbox.';

export type Trouble = {
  readonly outcome: CallOutcome;
  readonly answer: Extract<ProposerAnswer, { kind: 'failed' | 'blocked' }>;
};

/** The trouble in an agent's answer, from its own words, and what to do about it; null for none. */
export function findTrouble(
  program: AgentProgram,
  { result, output }: Answered,
  isContained: boolean,
): Trouble | null {
  const { title } = program;
  if (result.kind === 'output' && output.isComplete && output.error === null) return null;
  const why = result.kind === 'failed' ? result.why : null;
  const isOwnEnd = why === 'exit' || why === null;
  const said = stripControl(output.error || (isOwnEnd ? lastLine(result.stderr) : '') || '');
  if (isContained && /^bwrap: /.test(lastLine(result.stderr))) {
    const message = `${title} could not be started in the sandbox: ${stripControl(lastLine(result.stderr))}`;
    return { outcome: 'connection', answer: { kind: 'blocked', message } };
  }
  if (why === 'not_started' && result.kind === 'failed') {
    return { outcome: 'connection', answer: { kind: 'blocked', message: result.message } };
  }
  const failure =
    failureOf(program, output.status, said) ??
    // Its own words are searched in all of its stderr; the shared words would match too much there.
    (isOwnEnd ? ownFailureOf(program, result.stderr) : null);
  if (failure !== null) {
    const { kind, outcome, says } = HANDLING[failure];
    const hint =
      failure !== 'sign_in' ? '' : ` ${program.signIn.how}${isContained ? ` ${KEYRING_HINT}` : ''}`;
    const message = `${title} ${says}: ${said.replace(/[.\s]*$/, '.')}${hint}`;
    return { outcome, answer: kind === 'blocked' ? { kind, message } : agentFailed(message) };
  }
  if (why === 'timeout' && result.kind === 'failed') {
    return { outcome: 'timeout', answer: agentFailed(result.message) };
  }
  if (output.error !== null) return { outcome: 'server_error', answer: agentFailed(`${title}: ${said}`) };
  if (result.kind === 'failed')
    return { outcome: 'broken_stream', answer: agentFailed(stripControl(result.message)) };
  return { outcome: 'broken_stream', answer: agentFailed(`${title} ended without a result. ${said}`.trim()) };
}

function lastLine(text: string): string {
  return (text.trimEnd().split('\n').at(-1) ?? '').trim().slice(0, 500);
}

/** A program may say anything, of any length. */
export function agentFailed(message: string): Extract<ProposerAnswer, { kind: 'failed' }> {
  return failed(message.slice(0, 1_000));
}
