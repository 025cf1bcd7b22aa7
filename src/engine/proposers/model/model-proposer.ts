import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
  ToolUseBlock,
} from '@anthropic-ai/sdk/resources/messages';
import type { ModelSettings } from '../../../shared/study.ts';
import { matchEditable } from '../../contract/editable.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from '../proposer.ts';
import type { Called, Caller, CallParams } from './caller.ts';
import { CATEGORY_IN_A_ROW, chooseMode, describeRepair, digest, tiredCategory } from './digest.ts';
import { applyEdits, writeFiles } from './edits.ts';
import { systemPrompt } from './prompt.ts';
import type { StudyReader } from './study-reader.ts';
import {
  describeExperiment,
  describeFault,
  look,
  SUBMIT,
  type Submission,
  submissionSchema,
  TOOLS,
} from './tools.ts';

/** Answers of the model in one conversation. */
const MAX_TURNS = 16;
/** Submissions that do not apply, and answers without a tool call. */
const MAX_FAULTS = 3;
const MAX_TOKENS = 16_000;
/** An answer that was cut off is asked for once more, with this much room. */
const MORE_TOKENS = 48_000;
/** Hypotheses that share this much of their words are alike. */
const ALIKE = 0.6;

type Ports = {
  readonly caller: Pick<Caller, 'call'>;
  readonly reader: StudyReader;
  readonly onThought: (text: string) => void;
};

/** What the conversation has come to so far. */
type Talk = { readonly messages: MessageParam[]; maxTokens: number; faults: number; wasAskedWhy: boolean };

/**
 * A language model that proposes: one bounded conversation in which it can look at the study and then hands in one
 * proposal. It has no tool that runs or writes anything; its edits are applied here, to editable files alone.
 */
export function modelProposer(settings: ModelSettings, ports: Ports): Proposer {
  return {
    canRepair: true,
    maxRefusals: 5,
    async propose(request, context) {
      const whole = await converse(settings, ports, request, context, true);
      // A prompt that was too large is tried once more without what the tools can show as well.
      const answer = whole === 'too_large' ? await converse(settings, ports, request, context, false) : whole;
      if (answer !== 'too_large') return answer;
      return { kind: 'blocked', message: 'Even the shortest prompt is too large for this model.' };
    },
  };
}

async function converse(
  settings: ModelSettings,
  { caller, reader, onThought }: Ports,
  request: ProposalRequest,
  { worktree, editableFiles, signal }: ProposerContext,
  isWhole: boolean,
): Promise<ProposerAnswer | 'too_large'> {
  const attempt = request.repair ? reader.experiment(request.n)?.attemptCommit : null;
  const commit = attempt ?? request.incumbent.commit;
  const sources = new Map<string, string>();
  for (const path of isWhole ? editableFiles : []) {
    const text = await reader.readFile(commit, path);
    if (text !== null) sources.set(path, text);
  }
  const ask = [
    digest(request, isWhole ? 1 : 0.3),
    ...(request.repair ? [describeRepair(request.repair)] : []),
  ];
  const talk: Talk = {
    messages: [{ role: 'user', content: [{ type: 'text', text: ask.join('\n\n') }] }],
    maxTokens: MAX_TOKENS,
    faults: 0,
    wasAskedWhy: false,
  };
  const system = systemPrompt(request, sources);
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const params: CallParams = {
      max_tokens: talk.maxTokens,
      system: [...system],
      tools: [...TOOLS],
      messages: withCacheMarks(talk.messages),
      // Other servers may not know these.
      ...(settings.baseUrl === null ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
      ...(settings.effort === null ? {} : { output_config: { effort: settings.effort } }),
    };
    const called = await caller.call(request.n, params, signal);
    if (called.kind !== 'message') return answerOf(called);
    const { message } = called;
    if (message.stop_reason === 'refusal') return failed('The model declined to answer.');
    if (message.stop_reason === 'model_context_window_exceeded') return 'too_large';
    if (message.stop_reason === 'max_tokens') {
      if (talk.maxTokens === MORE_TOKENS) return failed('The answer was cut off twice.');
      talk.maxTokens = MORE_TOKENS;
      continue;
    }
    // In an answer that ended otherwise a tool call may be a part of one, which the SDK mends without a word.
    const isCall = message.stop_reason === 'tool_use';
    const content = message.content.filter(block => isCall || block.type !== 'tool_use');
    if (content.length > 0) talk.messages.push({ role: 'assistant', content });
    if (message.stop_reason === 'pause_turn') continue;
    const uses = content.filter(block => block.type === 'tool_use');
    if (uses.length === 0) {
      const said = content
        .map(block => (block.type === 'text' ? block.text : ''))
        .join(' ')
        .trim();
      talk.faults += 1;
      if (request.repair || talk.faults >= MAX_FAULTS)
        return failed(`The model made no proposal. ${said.slice(0, 500)}`);
      talk.messages.push({ role: 'user', content: `Call ${SUBMIT} now with your proposal.` });
      continue;
    }
    const results: ToolResultBlockParam[] = [];
    for (const use of uses) {
      if (use.name !== SUBMIT) {
        onThought(describeUse(use));
        const { text, isError } = await look(reader, commit, use.name, use.input);
        results.push({ type: 'tool_result', tool_use_id: use.id, content: text, is_error: isError });
        continue;
      }
      const submitted = await submit(use.input, request, reader, commit, talk);
      if (submitted.kind === 'accepted') {
        const { submission, files } = submitted;
        await writeFiles(worktree.path, files);
        return proposed(submission, request, settings);
      }
      talk.faults += 1;
      if (talk.faults >= MAX_FAULTS) return failed(`The proposal did not apply: ${submitted.message}`);
      results.push({ type: 'tool_result', tool_use_id: use.id, content: submitted.message, is_error: true });
    }
    talk.messages.push({ role: 'user', content: results });
  }
  return failed(`The model looked around for ${MAX_TURNS} turns and made no proposal.`);
}

type Submitted =
  | {
      readonly kind: 'accepted';
      readonly submission: Submission;
      readonly files: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'wrong'; readonly message: string };

async function submit(
  input: unknown,
  request: ProposalRequest,
  reader: StudyReader,
  commit: string,
  talk: Talk,
): Promise<Submitted> {
  const wrong = (message: string): Submitted => ({ kind: 'wrong', message });
  const parsed = submissionSchema.safeParse(input);
  if (!parsed.success) return wrong(`The input is not valid: ${describeFault(parsed.error)}`);
  const submission = parsed.data;
  if (!request.repair) {
    if (submission.category === tiredCategory(request.history)) {
      return wrong(
        `"${submission.category}" came ${CATEGORY_IN_A_ROW} times in a row without a keep: choose another category.`,
      );
    }
    const alike =
      submission.differs || talk.wasAskedWhy ? [] : findAlike(reader, submission.hypothesis, request.n);
    if (alike.length > 0) {
      talk.wasAskedWhy = true;
      return wrong(
        `Something alike was tried:\n${alike.join('\n')}\nSay in \`differs\` why yours is not the same, or choose again.`,
      );
    }
  }
  const applied = await applyEdits(submission.edits, matchEditable(request.contract.editable), path =>
    reader.readFile(commit, path),
  );
  return applied.kind === 'wrong' ? applied : { kind: 'accepted', submission, files: applied.files };
}

/** Past experiments whose hypothesis has nearly the same words. */
function findAlike(reader: StudyReader, hypothesis: string, n: number): readonly string[] {
  const own = wordsOf(hypothesis);
  return reader
    .search(hypothesis)
    .filter(found => found.n !== n && found.n > 0 && found.proposal)
    .filter(found => overlap(own, wordsOf(found.proposal?.hypothesis ?? '')) >= ALIKE)
    .slice(0, 5)
    .map(describeExperiment);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_.]+/gu) ?? []);
}

/** Jaccard's index: what two sets share, of all they have. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter(word => b.has(word)).length;
  return shared / (a.size + b.size - shared || 1);
}

function proposed(submission: Submission, request: ProposalRequest, settings: ModelSettings): ProposerAnswer {
  const { hypothesis, rationale, category, predicted_effect: predictedEffect, differs } = submission;
  return {
    kind: 'proposed',
    proposal: {
      hypothesis,
      rationale: differs ? `${rationale}\n\nDiffers from what was tried: ${differs}` : rationale,
      predictedEffect,
      category,
      memo: { model: settings.model, mode: request.repair ? 'repair' : chooseMode(request.history) },
    },
  };
}

function failed(message: string): ProposerAnswer {
  return { kind: 'failed', message, memo: null };
}

function answerOf(called: Exclude<Called, { kind: 'message' }>): ProposerAnswer | 'too_large' {
  if (called.kind === 'spent') return called;
  if (called.outcome === 'too_large') return 'too_large';
  if (called.outcome === 'broken_stream') return failed(called.message);
  // Nothing the loop could try again by itself: a key, a name, a server that is gone for an hour.
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
  return `${name.replaceAll('_', ' ')} ${JSON.stringify(input).slice(0, 200)}`;
}
