import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { CallOutcome } from '../../../shared/proposers/model-calls.ts';
import { type AgentSettings, proposerLabel } from '../../../shared/proposers/proposers.ts';
import { matchProposable } from '../../contract/editable.ts';
import { real } from '../../sandbox/home-view.ts';
import { makeScratch, removeScratch } from '../../scratch.ts';
import type { Ledger } from '../../store/ledger.ts';
import { answerSchema, proposedOf } from '../answer.ts';
import { describeRepair, describeReview, digest } from '../briefing/digest.ts';
import { systemText } from '../briefing/rules.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from '../proposer.ts';
import { writeFiles } from '../write-files.ts';
import { compareCopy, makeCopy } from './copy.ts';
import { type AgentOutput, NO_USAGE } from './program.ts';
import { type AgentPorts, runAgent } from './run-agent.ts';
import { agentFailed, findTrouble } from './trouble.ts';

type Ports = AgentPorts & {
  readonly ledger: Ledger;
  readonly studyId: string;
  readonly reader: StudyReader;
  /** See {@link makeScratch}. */
  readonly scratch: string;
  readonly now: () => number;
};

/**
 * Uses an agent's command-line program as proposer. It works on a copy of the repository's files and can write only
 * the editable ones; its changes to these are the proposal. The copy decides, whatever the agent says.
 */
export function agentProposer(settings: AgentSettings, ports: Ports): Proposer {
  return {
    canRepair: true,
    canLookAhead: () => true,
    canStartElsewhere: () => true,
    maxRefusals: 5,
    async propose(request, context) {
      let folder: string | null = null;
      try {
        // A mount needs the path without links.
        folder = await real(await makeScratch(ports.scratch, 'agent'));
        return await work(settings, ports, request, context, folder);
      } catch (error) {
        // For instance a full disk for temporary files, or unreadable files that an agent left: another try may
        // succeed.
        if (context.signal.aborted || error instanceof PawlError) throw error;
        return agentFailed(`The agent's copy failed: ${(error as Error).message}`);
      } finally {
        if (folder !== null) await removeScratch(folder);
      }
    },
  };
}

async function work(
  settings: AgentSettings,
  ports: Ports,
  request: ProposalRequest,
  context: ProposerContext,
  folder: string,
): Promise<ProposerAnswer> {
  const { ledger, studyId, reader, now } = ports;
  const copy = join(folder, 'work');
  const attempt = request.repair ? reader.experiment(request.n)?.attemptCommit : null;
  const commit = attempt ?? request.start.commit;
  const tracked = await reader.listFiles(commit);
  const isEditable = matchProposable(request.contract);
  const before = await makeCopy(reader, commit, copy, isEditable);
  const began = { at: 0, call: null as number | null };
  const end = (outcome: CallOutcome, message: string | null, output: AgentOutput | null) => {
    const { call } = began;
    if (call === null) return;
    ledger.write(() =>
      ledger.modelCalls.end(call, {
        outcome,
        message,
        requestId: null,
        tokens: output?.usage ?? NO_USAGE,
        costUsd: output?.costUsd ?? null,
        seconds: (performance.now() - began.at) / 1000,
      }),
    );
  };
  const onStart = () => {
    began.at = performance.now();
    began.call = ledger.write(() =>
      ledger.modelCalls.begin(studyId, {
        n: request.n,
        at: now(),
        proposer: proposerLabel(settings),
        model: settings.model ?? settings.agent,
        reservedUsd: null,
      }),
    );
  };
  const task = {
    ...{ folder, copy, isEditable, onStart },
    prompt: promptFor(request, tracked.filter(isEditable)),
    locked: tracked.filter(path => before.has(path) && !isEditable(path)),
    withheld: request.contract.score?.reads ?? [],
  };
  const ran = await runAgent(settings, ports, task, context).catch(error => {
    end('cancelled', null, null);
    throw error;
  });
  if (ran.kind === 'blocked') return ran;
  const { title } = ran.program;
  const { output } = ran.answered;
  const trouble = findTrouble(ran.program, ran.answered, ran.isContained);
  const said = [trouble?.answer.message, ran.notice].filter(words => words).join(' ');
  end(trouble?.outcome ?? 'ok', said || null, output);
  if (trouble) return trouble.answer;

  const { files, faults } = await compareCopy(copy, before, isEditable);
  if (faults.length > 0) {
    return agentFailed(`${title} changed files it may not change: ${faults.slice(0, 5).join(', ')}.`);
  }
  if (files.size === 0) {
    return agentFailed(`${title} changed nothing. ${firstLine(output.text)}`.trim());
  }
  const fault = await writeFiles(context.worktree.path, files, tracked);
  return fault === null ? proposed(output.text, settings) : agentFailed(fault);
}

function promptFor(request: ProposalRequest, files: readonly string[]): string {
  return [
    systemText(request),
    digest(request),
    ...(request.repair ? [describeRepair(request.repair)] : []),
    ...(request.review ? [describeReview(request.review)] : []),
    '# What to do now',
    `You are in a copy of the repository. Edit the files in place; you can write only these: ${files.join(', ') || '(new files that match the patterns)'}. You cannot run anything, and no file can be removed.`,
    'Then end with one line of JSON and nothing after it: {"hypothesis": "one line", "rationale": "why it should work", "predicted_effect": -0.01, "category": "one word"}. Where it is one of the ideas that wait, add "idea": its number; good ideas for later go into "ideas": [{"hypothesis": "one line", "predicted_effect": -0.01}].',
  ].join('\n\n');
}

/** An agent's final answer is short; longer text is something else. */
const MAX_WORDS = 64 * 1024;

/** Reads the proposal from the last JSON line of its answer; if the answer is prose, the first line is the hypothesis. */
function proposed(said: string, settings: AgentSettings): ProposerAnswer {
  const memo = { agent: settings.agent, model: settings.model };
  const text = said.slice(-MAX_WORDS);
  const lines = text.split('\n').map(withoutFence);
  const last = lines.findLastIndex(line => line.startsWith('{'));
  // The JSON may be on one line, or spread over the last lines.
  const json = last < 0 ? undefined : [lines[last] ?? '', lines.slice(last).join('\n')];
  const parsed = answerSchema.safeParse(json?.map(tryJson).find(value => value !== null) ?? null);
  const answer = parsed.success
    ? parsed.data
    : {
        hypothesis: firstLine(text) || 'An edit without a description',
        rationale: text.trim().slice(0, 20_000) || null,
      };
  return proposedOf(answer, memo);
}

/** A line without Markdown's code marks. */
function withoutFence(line: string): string {
  const trimmed = line.trim();
  let [start, end] = [0, trimmed.length];
  while (start < end && trimmed[start] === '`') start += 1;
  if (start > 0 && trimmed.startsWith('json', start)) start += 'json'.length;
  while (end > start && trimmed[end - 1] === '`') end -= 1;
  return trimmed.slice(start, end);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function firstLine(text: string): string {
  return (text.split('\n').find(line => line.trim() !== '') ?? '').trim().slice(0, 300).toWellFormed();
}
