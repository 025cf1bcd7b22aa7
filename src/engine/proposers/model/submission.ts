import { matchProposable } from '../../contract/editable.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import { applyEdits } from '../apply-edits.ts';
import { CATEGORY_IN_A_ROW, tiredCategory } from '../briefing/digest.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import type { ProposalRequest } from '../proposer.ts';
import { findTurns, type Turn, turnsOf } from '../search/turns.ts';
import { writeFiles } from '../write-files.ts';
import { describeExperiment, describeFault, type Submission, submissionSchema } from './tools.ts';

/** Hypotheses that share this much of their words count as similar. */
const ALIKE = 0.6;
const SHOWN = 5;

export type Submitted =
  | { readonly kind: 'written'; readonly submission: Submission; readonly turns: readonly Turn[] }
  | { readonly kind: 'wrong'; readonly message: string };

/**
 * Checks a proposal and writes its edits into the worktree, or tells the model what is wrong with it.
 * @param asksWhy whether to report similar past experiments; once per conversation is enough
 */
export async function submit(
  input: unknown,
  request: ProposalRequest,
  reader: StudyReader,
  commit: string,
  root: string,
  asksWhy: (alike: readonly string[]) => boolean,
): Promise<Submitted> {
  const wrong = (message: string): Submitted => ({ kind: 'wrong', message });
  const parsed = submissionSchema.safeParse(input);
  if (!parsed.success) return wrong(`The input is not valid: ${describeFault(parsed.error)}`);
  const submission = parsed.data;
  if (!request.repair && submission.category === tiredCategory(request.history)) {
    return wrong(
      `"${submission.category}" came ${CATEGORY_IN_A_ROW} times in a row without a keep: choose another category.`,
    );
  }
  const unanswered = submission.answer || request.repair ? null : findUnanswered(request);
  if (unanswered !== null) return wrong(unanswered);
  const read = (path: string) => reader.readFile(commit, path);
  const applied = await applyEdits(submission.edits, matchProposable(request.contract), read);
  if (applied.kind === 'wrong') return applied;
  const turns: Turn[] = [];
  for (const [file, after] of applied.files) turns.push(...findTurns(file, (await read(file)) ?? '', after));
  if (!request.repair && !submission.differs) {
    const alike = [
      ...findAlike(reader, submission.hypothesis, request),
      ...findSameTurns(turns, request.history),
    ];
    if (alike.length > 0 && asksWhy(alike)) {
      return wrong(
        `Something similar was tried:\n${alike.join('\n')}\nSay in \`differs\` why yours is not the same, or choose again.`,
      );
    }
  }
  const fault = await writeFiles(root, applied.files, await reader.listFiles(commit));
  return fault === null ? { kind: 'written', submission, turns } : wrong(fault);
}

/** What to tell a model that has not answered the user's newest notes; null if earlier proposals answered all of them. */
export function findUnanswered({ history, running, steering }: ProposalRequest): string | null {
  const memos = [...history, ...running].map(({ memo }) => memo);
  const answered = memos.map(memo => Number((memo as { answered?: unknown } | null)?.answered) || 0);
  const notes = steering.slice(Math.max(0, ...answered));
  if (notes.length === 0) return null;
  const words = notes.map(({ text }) => text).join(' / ');
  return `The user wrote to you: ${words}\nFollow it, and say in \`answer\` what you make of it.`;
}

/** Past experiments, and proposals that the user rejected, with nearly the same words in their hypothesis. */
function findAlike(
  reader: StudyReader,
  hypothesis: string,
  { n, refusals }: ProposalRequest,
): readonly string[] {
  const own = wordsOf(hypothesis);
  const isAlike = (other: string | null | undefined) => overlap(own, wordsOf(other ?? '')) >= ALIKE;
  const rejected = refusals
    .filter(({ reason, hypothesis: other }) => reason === 'rejected' && isAlike(other))
    .map(({ hypothesis: other, message }) => `Rejected by the user: ${other}. ${message}`);
  const tried = reader
    .search(hypothesis)
    .filter(found => found.n !== n && found.n > 0 && isAlike(found.proposal?.hypothesis))
    .map(describeExperiment);
  return [...rejected, ...tried].slice(0, SHOWN);
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_.]+/gu) ?? []);
}

/** Jaccard's index: the size of the intersection of two sets, divided by the size of their union. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter(word => b.has(word)).length;
  return shared / (a.size + b.size - shared || 1);
}

/** Failed experiments that changed one of these constants in the same direction, newest first, as far as memos say. */
function findSameTurns(turns: readonly Turn[], history: readonly HistoryEntry[]): readonly string[] {
  if (turns.length === 0) return [];
  const found: string[] = [];
  for (const entry of history.toReversed()) {
    if (entry.verdict === 'keep' || found.length === SHOWN) continue;
    const same = turnsOf(entry.memo).find(({ file, name, direction }) =>
      turns.some(turn => turn.file === file && turn.name === name && turn.direction === direction),
    );
    if (!same) continue;
    found.push(
      `#${entry.n} ${entry.verdict}, ${entry.reason}: it turned ${same.name} the same way, from ${same.from} to ${same.to}`,
    );
  }
  return found;
}
