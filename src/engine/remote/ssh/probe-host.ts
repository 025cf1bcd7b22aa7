import { gpusOf, type NodeCheck, type NodeGpu, nodeChecks, QUESTIONS, readAnswers } from '../node-checks.ts';
import { quote } from '../quote.ts';
import type { SshClient } from './ssh-client.ts';

/** Whether runs could be trained on a host of ssh, and its GPUs. */
export async function probeHost(
  client: SshClient,
  needsSandbox: boolean,
): Promise<{ readonly checks: readonly NodeCheck[]; readonly gpus: readonly NodeGpu[] }> {
  // As a run is started: with what the user's own profile puts on the PATH.
  const answer = await client.run(`bash -lc ${quote(QUESTIONS)}`);
  if (answer.kind === 'unreachable')
    return { checks: [{ name: 'host', outcome: 'failed', detail: answer.message }], gpus: [] };
  const answers = readAnswers(answer.stdout.toString('utf8'));
  const reached: NodeCheck = { name: 'host', outcome: 'ok', detail: `${client.host} answers` };
  return { checks: [reached, ...nodeChecks(answers, needsSandbox)], gpus: gpusOf(answers) };
}
