import { gpusOf, type NodeCheck, type NodeGpu, nodeChecks, QUESTIONS, readAnswers } from '../node-checks.ts';
import { quote } from '../quote.ts';
import type { SshClient } from './ssh-client.ts';

/** Whether runs could be trained on an ssh host, and which GPUs it has. */
export async function probeHost(
  client: SshClient,
  needsSandbox: boolean,
): Promise<{ readonly checks: readonly NodeCheck[]; readonly gpus: readonly NodeGpu[] }> {
  // As when a run is started: with the PATH of the user's own profile.
  const answer = await client.run(`bash -lc ${quote(QUESTIONS)}`);
  if (answer.kind === 'unreachable')
    return { checks: [{ name: 'host', outcome: 'failed', detail: answer.message }], gpus: [] };
  const answers = readAnswers(answer.stdout.toString('utf8'));
  const reached: NodeCheck = { name: 'host', outcome: 'ok', detail: `${client.host} answers` };
  return { checks: [reached, ...nodeChecks(answers, needsSandbox)], gpus: gpusOf(answers) };
}
