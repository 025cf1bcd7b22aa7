import type { Idea } from '../../shared/proposers/ideas.ts';
import type { ProposerSettings } from '../../shared/proposers/proposers.ts';
import { runProcess } from '../process/run-process.ts';
import { answerSchema, failed, proposedOf } from './answer.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from './proposer.ts';

/** If stdout or stderr is longer, the command is ended. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
const EXAMPLE = '{"hypothesis": "Lower the learning rate"}';
/** The request contains at most this many of the latest history entries. */
const HISTORY_ENTRIES = 200;

/**
 * Any executable: it gets the request as one JSON document on stdin, edits the editable files in place (its working
 * folder is the worktree) and prints one JSON line `{"hypothesis", "rationale"?, "predicted_effect"?, "category"?}`,
 * the last line of its stdout. It sees the user's whole environment, because it is the user's tool and may need its
 * keys; the training does not.
 */
export function commandProposer(settings: Extract<ProposerSettings, { kind: 'command' }>): Proposer {
  return {
    canRepair: true,
    canStartElsewhere: () => true,
    maxRefusals: 5,
    async propose(request, context) {
      const result = await runProcess(
        {
          argv: ['/bin/sh', '-c', settings.command],
          cwd: context.worktree.path,
          environment: process.env,
          input: JSON.stringify(toJson(request, context)),
          timeoutSeconds: settings.timeoutSeconds,
          maxBytes: MAX_OUTPUT_BYTES,
          what: 'The command',
        },
        context,
      );
      return result.kind === 'output' ? readAnswer(result.stdout) : failed(result.message);
    },
  };
}

/** The request as documented in docs/proposers.md. */
function toJson(request: ProposalRequest, context: ProposerContext) {
  const { contract, incumbent, start, history, repair } = request;
  const refused = request.refusals.filter(refusal => refusal.n === request.n);
  return {
    version: 1,
    kind: repair ? 'repair' : 'propose',
    tag: request.tag,
    experiment: request.n,
    editable: context.editableFiles,
    editable_patterns: contract.editable,
    instructions: request.instructions,
    memory: request.memory,
    steering: request.steering.map(({ n, at, text }) => ({ from_experiment: n, at, text })),
    train: contract.train,
    budget_seconds: contract.budget.seconds,
    metric: { name: contract.metric.name, goal: contract.metric.goal },
    incumbent: { experiment: incumbent.n, commit: incumbent.commit, metric: incumbent.metric },
    start: { experiment: start.n, commit: start.commit, metric: start.metric },
    history: history.slice(-HISTORY_ENTRIES).map(entry => ({
      experiment: entry.n,
      hypothesis: entry.hypothesis,
      verdict: entry.verdict,
      reason: entry.reason,
      metric: entry.metric,
      incumbent_metric: entry.incumbentMetric,
    })),
    running: request.running.map(({ n, hypothesis, category }) => ({ experiment: n, hypothesis, category })),
    refused: refused.map(({ reason, message, hypothesis }) => ({ reason, message, hypothesis })),
    idea: request.ideas.handed && toJsonIdea(request.ideas.handed),
    ideas: request.ideas.waiting.map(toJsonIdea),
    review: request.review,
    repair: repair && {
      hypothesis: repair.hypothesis,
      count: repair.count,
      crash: { class: repair.crash.class, message: repair.crash.message, output_tail: repair.crash.tail },
    },
  };
}

function toJsonIdea({ id, author, hypothesis, rationale, predictedEffect, category }: Idea) {
  return { id, author, hypothesis, rationale, predicted_effect: predictedEffect, category };
}

function readAnswer(stdout: string): ProposerAnswer {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return failed(
      `The last line of the command's output is not JSON like ${EXAMPLE}: ${line.slice(0, 200) || '(nothing)'}`,
    );
  }
  const answer = answerSchema.safeParse(json);
  if (!answer.success) {
    const issue = answer.error.issues[0];
    return failed(
      `The command's answer is not valid: ${issue?.path.join('.') || 'answer'}: ${issue?.message}`,
    );
  }
  return proposedOf(answer.data, null);
}
