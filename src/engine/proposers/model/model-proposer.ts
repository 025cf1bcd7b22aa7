import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
  ToolUseBlock,
} from '@anthropic-ai/sdk/resources/messages';
import type { ModelSettings } from '../../../shared/proposers/proposers.ts';
import { failed } from '../answer.ts';
import { chooseMode, describeRepair, describeReview, digest } from '../briefing/digest.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import { openTuning, tuningOf } from '../briefing/tunings.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from '../proposer.ts';
import { describeRefusal } from './answer-words.ts';
import type { Called, Caller, CallParams } from './caller.ts';
import { SOURCE_CHARACTERS, systemPrompt } from './prompt.ts';
import { type Submitted, submit } from './submission.ts';
import { look, SUBMIT, TOOLS, TUNE } from './tools.ts';
import { readTuning, tune } from './tuning.ts';

/** How many answers the model has in one conversation. */
const MAX_TURNS = 16;
/** How many submissions may fail to apply, or answers may lack a tool call. */
const MAX_FAULTS = 3;
const MAX_TOKENS = 16_000;
/** A cut-off answer is asked for once more, with room for this many tokens. */
const MORE_TOKENS = 48_000;
/** How much all looks of one conversation may show together. */
const LOOK_CHARACTERS = 200_000;

type Ports = {
  readonly caller: Pick<Caller, 'call'>;
  readonly reader: StudyReader;
  readonly onThought: (text: string) => void;
};

/** Features that not every model and server supports; dropped once one has said so. */
type Extras = { thinking: boolean; effort: boolean };

/** The state of a conversation. */
type Talk = {
  readonly messages: MessageParam[];
  maxTokens: number;
  faults: number;
  wasAskedWhy: boolean;
  /** How many characters the tools have shown. */
  shown: number;
};

/**
 * A language model that proposes: in one bounded conversation it can look at the study, and then submits one
 * proposal. No tool runs or writes anything; its edits are applied here, and only to editable files.
 */
export function modelProposer(settings: ModelSettings, ports: Ports): Proposer {
  const extras: Extras = { thinking: settings.baseUrl === null, effort: true };
  return {
    canRepair: true,
    canLookAhead: () => true,
    canStartElsewhere: () => true,
    maxRefusals: 5,
    async propose(request, context) {
      const { reader } = ports;
      if (request.repair && tuningOf(reader.experiment(request.n)?.proposal?.memo)) {
        return failed('The search chose the value that crashed; there is nothing to repair.');
      }
      const tuning = request.repair || request.review ? null : openTuning(request);
      if (tuning) {
        const { commit } = request.start;
        const tuned = await tune(tuning, request, reader, commit, context.worktree.path, context.signal);
        // If no value in the ranges is left, the model is asked again.
        if (tuned.kind !== 'exhausted') return tuned;
      }
      const talkWith = (isWhole: boolean) => converse(settings, extras, ports, request, context, isWhole);
      const whole = await talkWith(true);
      // If the prompt was too large, it is sent once more without what the tools can show.
      const answer = whole === 'too_large' ? await talkWith(false) : whole;
      if (answer !== 'too_large') return answer;
      return { kind: 'blocked', message: 'Even the shortest prompt is too large for this model.' };
    },
  };
}

async function converse(
  settings: ModelSettings,
  extras: Extras,
  { caller, reader, onThought }: Ports,
  request: ProposalRequest,
  { worktree, editableFiles, signal }: ProposerContext,
  isWhole: boolean,
): Promise<ProposerAnswer | 'too_large'> {
  const attempt = request.repair ? reader.experiment(request.n)?.attemptCommit : null;
  const commit = attempt ?? request.start.commit;
  const system = systemPrompt(
    request,
    await readSources(reader, commit, isWhole ? editableFiles : [], signal),
  );
  const ask = [
    digest(request, isWhole ? 1 : 0.3),
    ...(request.repair ? [describeRepair(request.repair)] : []),
    ...(request.review ? [describeReview(request.review)] : []),
  ];
  const talk: Talk = {
    messages: [{ role: 'user', content: [{ type: 'text', text: ask.join('\n\n') }] }],
    ...{ maxTokens: MAX_TOKENS, faults: 0, wasAskedWhy: false, shown: 0 },
  };
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const params: CallParams = {
      max_tokens: talk.maxTokens,
      system: [...system],
      tools: [...TOOLS],
      messages: withCacheMarks(talk.messages),
      ...(extras.thinking ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
      ...(settings.effort !== null && extras.effort ? { output_config: { effort: settings.effort } } : {}),
    };
    const called = await caller.call(request.n, params, signal);
    if (called.kind !== 'message') {
      if (called.kind === 'failed' && dropExtra(extras, called)) continue;
      return answerOf(called, turn > 0);
    }
    const { message } = called;
    const refusal = describeRefusal(message);
    if (refusal !== null) return failed(refusal);
    if (message.stop_reason === 'model_context_window_exceeded') {
      return turn > 0 ? failed('The conversation grew too long for the model.') : 'too_large';
    }
    if (message.stop_reason === 'max_tokens') {
      if (talk.maxTokens === MORE_TOKENS) return failed('The answer was cut off twice.');
      talk.maxTokens = MORE_TOKENS;
      continue;
    }
    // If the answer ended for another reason, a tool call may be incomplete, and the SDK silently completes it.
    const isCall = message.stop_reason === 'tool_use';
    const content = message.content.filter(
      block => (isCall || block.type !== 'tool_use') && (block.type !== 'text' || block.text.trim() !== ''),
    );
    // A server accepts neither an empty message nor one that ends with a thought.
    const end = content.at(-1)?.type;
    if (end && !end.endsWith('thinking')) talk.messages.push({ role: 'assistant', content });
    if (message.stop_reason === 'pause_turn') continue;
    const uses = content.filter(block => block.type === 'tool_use');
    if (uses.length === 0) {
      const said = content.map(block => (block.type === 'text' ? block.text : '')).join(' ');
      talk.faults += 1;
      if (request.repair || talk.faults >= MAX_FAULTS) {
        return failed(`The model made no proposal. ${said.trim().slice(0, 500).toWellFormed()}`);
      }
      talk.messages.push({ role: 'user', content: `Call ${SUBMIT} now with your proposal.` });
      continue;
    }
    const results: ToolResultBlockParam[] = [];
    for (const use of uses) {
      const answer = (text: string, isError: boolean) =>
        results.push({ type: 'tool_result', tool_use_id: use.id, content: text, is_error: isError });
      if (use.name === TUNE && !request.repair) {
        const tuning = await readTuning(use.input, request, reader, commit);
        const tuned =
          typeof tuning === 'string'
            ? { kind: 'failed' as const, message: tuning }
            : await tune(tuning, request, reader, commit, worktree.path, signal);
        if (tuned.kind === 'proposed') return tuned;
        talk.faults += 1;
        if (talk.faults >= MAX_FAULTS) return failed(`Nothing could be tuned: ${tuned.message}`);
        answer(tuned.message, true);
        continue;
      }
      if (use.name !== SUBMIT) {
        onThought(describeUse(use));
        if (talk.shown >= LOOK_CHARACTERS) {
          answer(`You have seen enough: call ${SUBMIT} now.`, true);
          continue;
        }
        const { text, isError } = await look(reader, commit, use.name, use.input);
        talk.shown += text.length;
        answer(text, isError);
        continue;
      }
      const submitted = await submit(use.input, request, reader, commit, worktree.path, () => {
        const isFirst = !talk.wasAskedWhy;
        talk.wasAskedWhy = true;
        return isFirst;
      });
      if (submitted.kind === 'written') return proposed(submitted, request, settings);
      talk.faults += 1;
      if (talk.faults >= MAX_FAULTS) return failed(`The proposal did not apply: ${submitted.message}`);
      answer(submitted.message, true);
    }
    talk.messages.push({ role: 'user', content: results });
  }
  return failed(`The model looked around for ${MAX_TURNS} turns and made no proposal.`);
}

/** The texts of the editable files that fit into the prompt. */
async function readSources(
  reader: StudyReader,
  commit: string,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  let room = SOURCE_CHARACTERS;
  for (const path of paths) {
    if (room <= 0) break;
    signal.throwIfAborted();
    const text = await reader.readFile(commit, path);
    if (text === null) continue;
    sources.set(path, text);
    room -= text.length;
  }
  return sources;
}

/** Whether the server complained about an optional feature; if so, drops it from now on. */
function dropExtra(extras: Extras, { outcome, message }: Extract<Called, { kind: 'failed' }>): boolean {
  if (outcome !== 'bad_request') return false;
  const name = /thinking/i.test(message)
    ? 'thinking'
    : /effort|output_config/i.test(message)
      ? 'effort'
      : null;
  if (name === null || !extras[name]) return false;
  extras[name] = false;
  return true;
}

function proposed(
  { submission, turns }: Extract<Submitted, { kind: 'written' }>,
  request: ProposalRequest,
  settings: ModelSettings,
): ProposerAnswer {
  const { hypothesis, category, predicted_effect: predictedEffect } = submission;
  const { rationale, answer, differs } = submission;
  const parts = [
    rationale,
    ...(answer ? [`To your note: ${answer}`] : []),
    ...(differs ? [`Differs from what was tried: ${differs}`] : []),
  ];
  return {
    kind: 'proposed',
    proposal: {
      hypothesis,
      rationale: parts.join('\n\n'),
      predictedEffect,
      category,
      memo: {
        model: settings.model,
        mode: request.repair ? 'repair' : chooseMode(request.history),
        turns,
        answered: request.steering.length,
      },
    },
    ...{ idea: submission.idea, ideas: submission.ideas },
  };
}

/** `isLater`: the conversation had begun, so a new one may do better. */
function answerOf(
  called: Exclude<Called, { kind: 'message' }>,
  isLater: boolean,
): ProposerAnswer | 'too_large' {
  if (called.kind === 'spent') return called;
  const { outcome } = called;
  const isOfConversation = outcome === 'bad_request' || outcome === 'too_large';
  if (outcome === 'bad_tool_input' || (isLater && isOfConversation)) return failed(called.message);
  if (outcome === 'too_large') return 'too_large';
  // The loop cannot fix this by trying again: a key, a name, a server that stays unreachable.
  return { kind: 'blocked', message: called.message };
}

/** Everything up to the last message is cached for the next turn, and the digest for the whole conversation. */
function withCacheMarks(messages: readonly MessageParam[]): MessageParam[] {
  return messages.map((message, index): MessageParam => {
    if (index > 0 && index < messages.length - 1) return message;
    const blocks: ContentBlockParam[] =
      typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : [...message.content];
    const last = blocks.at(-1);
    if (message.role !== 'user' || (last?.type !== 'text' && last?.type !== 'tool_result')) return message;
    return {
      role: 'user',
      content: [...blocks.slice(0, -1), { ...last, cache_control: { type: 'ephemeral' } }],
    };
  });
}

function describeUse({ name, input }: ToolUseBlock): string {
  return `${name.replaceAll('_', ' ')} ${JSON.stringify(input ?? {}).slice(0, 200)}`;
}
