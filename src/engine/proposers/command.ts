import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ProposerSettings } from '../../shared/study.ts';
import { withoutGitVariables } from '../repo/git.ts';
import { RUN_MARKER } from '../training/environment.ts';
import { KILL_TIMES, killTree } from '../training/kill-tree.ts';
import { readIdentity } from '../training/process-table.ts';
import { ResourceSampler } from '../training/resource-sampler.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from './proposer.ts';

/** More output than this, on stdout or stderr, ends the command. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** How long to wait for the end of the output of a command whose processes are gone. */
const DRAIN_MS = 2_000;
/** Of the history, the request carries this many of the latest entries. */
const HISTORY_ENTRIES = 200;

const answerSchema = z.object({
  hypothesis: z.string().trim().min(1).max(500),
  rationale: z.string().max(20_000).nullish(),
  predicted_effect: z.number().nullish(),
  category: z.string().max(60).nullish(),
});

/**
 * Any executable: it gets the request as one JSON document on stdin, edits the editable files in place (its working
 * folder is the worktree) and prints one JSON line `{"hypothesis", "rationale"?, "predicted_effect"?, "category"?}`,
 * the last line of its stdout. It sees the user's whole environment, because it is the user's tool and may need its
 * keys; the training does not.
 */
export function commandProposer(settings: Extract<ProposerSettings, { kind: 'command' }>): Proposer {
  return {
    canRepair: true,
    maxRefusals: 5,
    async propose(request, context) {
      const result = await runCommand(settings, JSON.stringify(toJson(request, context)), context);
      return result.kind === 'output' ? readAnswer(result.stdout) : { ...result, memo: null };
    },
  };
}

/** The request as documented in docs/proposers.md. */
function toJson(request: ProposalRequest, context: ProposerContext) {
  const { contract, incumbent, history, repair } = request;
  const refused = request.refusals.filter(refusal => refusal.n === request.n);
  return {
    version: 1,
    kind: repair ? 'repair' : 'propose',
    tag: request.tag,
    experiment: request.n,
    editable: context.editableFiles,
    editable_patterns: contract.editable,
    instructions: request.instructions,
    steering: request.steering.map(({ n, at, text }) => ({ from_experiment: n, at, text })),
    train: contract.train,
    budget_seconds: contract.budget.seconds,
    metric: { name: contract.metric.name, goal: contract.metric.goal },
    incumbent: { experiment: incumbent.n, commit: incumbent.commit, metric: incumbent.metric },
    history: history.slice(-HISTORY_ENTRIES).map(entry => ({
      experiment: entry.n,
      hypothesis: entry.hypothesis,
      verdict: entry.verdict,
      reason: entry.reason,
      metric: entry.metric,
      incumbent_metric: entry.incumbentMetric,
    })),
    refused: refused.map(({ reason, message, hypothesis }) => ({ reason, message, hypothesis })),
    repair: repair && {
      hypothesis: repair.hypothesis,
      count: repair.count,
      crash: { class: repair.crash.class, message: repair.crash.message, output_tail: repair.crash.tail },
    },
  };
}

type CommandResult =
  | { readonly kind: 'output'; readonly stdout: string }
  | { readonly kind: 'failed'; readonly message: string };

async function runCommand(
  settings: Extract<ProposerSettings, { kind: 'command' }>,
  input: string,
  { worktree, marker, signal }: ProposerContext,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', settings.command], {
    cwd: worktree.path,
    // A session of its own, so that the whole tree can be ended.
    detached: true,
    env: { ...withoutGitVariables(process.env), [RUN_MARKER]: marker },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const root = child.pid === undefined ? null : readIdentity(child.pid);
  const sampler = child.pid === undefined ? null : new ResourceSampler(child.pid);
  const stdout: Buffer[] = [];
  let stderr = '';
  let bytes = 0;
  // A command may ignore its input and end before it was written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);

  const ended = new AbortController();
  const result = await new Promise<CommandResult>(resolve => {
    const fail = (message: string) => resolve({ kind: 'failed', message });
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) fail(`The command printed more than ${MAX_OUTPUT_BYTES} bytes.`);
      return bytes <= MAX_OUTPUT_BYTES;
    };
    child.stdout.on('data', (chunk: Buffer) => count(chunk) && stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      if (count(chunk)) stderr = (stderr + chunk.toString('utf8')).slice(-2000);
    });
    child.on('error', error => fail(`The command could not be started: ${error.message}`));
    // Not `close`: something in the background may hold the output open for as long as it likes.
    child.on('exit', (code, signalName) => {
      if (code === 0) resolve({ kind: 'output', stdout: '' });
      else fail(`The command ended with ${code ?? signalName}: ${stderr.trim().slice(-500) || 'no message'}`);
    });
    const timer = setTimeout(
      () => fail(`The command took longer than ${settings.timeoutSeconds} s.`),
      settings.timeoutSeconds * 1000,
    );
    ended.signal.addEventListener('abort', () => clearTimeout(timer));
    signal.addEventListener('abort', () => fail('Stopped by the user.'), { signal: ended.signal });
  });
  ended.abort();
  sampler?.stop();
  const closed = child.pid === undefined ? null : once(child, 'close');
  const tracked = [...(sampler?.tracked.values() ?? [])];
  await killTree({ hasMarker: found => found === marker, root, tracked }, KILL_TIMES, {
    ask: result.kind === 'failed',
  });
  signal.throwIfAborted();
  if (result.kind === 'failed') return result;
  // With every process gone the pipes end, and what is still in them has come.
  if (!child.stdout.readableEnded) await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })]);
  return { kind: 'output', stdout: Buffer.concat(stdout).toString('utf8') };
}

function readAnswer(stdout: string): ProposerAnswer {
  const fail = (message: string): ProposerAnswer => ({ kind: 'failed', message, memo: null });
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return fail(`The last line of the command's output is not JSON: ${line.slice(0, 200) || '(nothing)'}`);
  }
  const answer = answerSchema.safeParse(json);
  if (!answer.success) {
    const issue = answer.error.issues[0];
    return fail(`The command's answer is not valid: ${issue?.path.join('.') || 'answer'}: ${issue?.message}`);
  }
  const { hypothesis, rationale, predicted_effect, category } = answer.data;
  return {
    kind: 'proposed',
    proposal: {
      hypothesis,
      rationale: rationale ?? null,
      predictedEffect: predicted_effect ?? null,
      category: category ?? null,
      memo: null,
    },
  };
}
