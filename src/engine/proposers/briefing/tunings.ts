import { z } from 'zod';
import { SEARCH_STRATEGIES } from '../../../shared/proposers.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import { isOfUser } from '../../store/refusals.ts';
import type { ProposalRequest } from '../proposer.ts';
import { signed } from './words.ts';

const MAX_EXPERIMENTS = 20;
const SHOWN = 5;

/** What a model hands over: numbers to turn, and for how long. */
export const tuningSchema = z.strictObject({
  hypothesis: z.string().trim().min(1).max(300),
  rationale: z.string().trim().min(1).max(8_000),
  constants: z
    .array(
      z.strictObject({
        file: z.string().min(1).max(1_000),
        name: z.string().min(1).max(200),
        low: z.number(),
        high: z.number(),
      }),
    )
    .min(1)
    .max(8),
  experiments: z.number().int().min(2).max(MAX_EXPERIMENTS),
  /** To the user's notes that are new. */
  answer: z.string().trim().max(2_000).optional(),
});

/** A tuning in the memo of each of its experiments, so that the history is its only state. */
const memoSchema = z.object({
  tuning: tuningSchema.extend({
    /** Number of its first experiment. */
    first: z.number().int(),
    /** Experiments it may still have after this one. */
    left: z.number().int(),
    /** How the search chooses; absent where it began when there was only the ladder. */
    strategy: z.enum(SEARCH_STRATEGIES).optional(),
  }),
});
export type Tuning = z.infer<typeof memoSchema>['tuning'];

/** The tuning that an experiment with this memo belongs to; null where it belongs to none. */
export function tuningOf(memo: unknown): Tuning | null {
  const parsed = memoSchema.safeParse(memo);
  return parsed.success ? parsed.data.tuning : null;
}

/** After this many refused values for one experiment the model has its turn again. */
const REFUSALS = 3;

/** The tuning that goes on with the next experiment; null where none does, or the user has said something since. */
export function openTuning({ n, history, running, steering, refusals }: ProposalRequest): Tuning | null {
  // A value that was tried before costs no run; the search has another.
  const refused = refusals.filter(refusal => refusal.n === n && tuningOf(refusal.memo));
  if (refused.length >= REFUSALS) return null;
  const memos = [...history, ...running, ...refused].map(({ memo }) => memo);
  // Other proposers may have their turns in between.
  const newest = memos.findLast(memo => tuningOf(memo) !== null || isOfModel(memo));
  const tuning = tuningOf(newest);
  if (!tuning || tuning.left === 0) return null;
  const isSteered = steering.some(note => note.n > tuning.first);
  const isTurnedDown = refusals.some(refusal => refusal.n >= tuning.first && isOfUser(refusal));
  return isSteered || isTurnedDown ? null : tuning;
}

/** Whether a model proposed it by itself. */
function isOfModel(memo: unknown): boolean {
  return typeof memo === 'object' && memo !== null && 'model' in memo && !('agent' in memo);
}

/** What came of the tunings so far, the last ones, a line each. */
export function describeTunings(history: readonly HistoryEntry[]): readonly string[] {
  const byFirst = new Map<number, { tuning: Tuning; entries: HistoryEntry[] }>();
  for (const entry of history) {
    const tuning = tuningOf(entry.memo);
    if (!tuning) continue;
    const known = byFirst.get(tuning.first) ?? { tuning, entries: [] };
    byFirst.set(tuning.first, known);
    known.entries.push(entry);
  }
  return [...byFirst.values()].slice(-SHOWN).map(({ tuning, entries }) => {
    const kept = entries.filter(({ verdict }) => verdict === 'keep');
    const best = kept.at(-1);
    const gain =
      best && best.metric !== null && entries[0]?.incumbentMetric !== null
        ? `, ${signed(best.metric - (entries[0]?.incumbentMetric ?? best.metric))} in all, the last with "${best.hypothesis}"`
        : '';
    return `- #${tuning.first} to #${entries.at(-1)?.n}, ${namesOf(tuning)}: ${kept.length} of ${entries.length} kept${gain}`;
  });
}

export function namesOf({ constants }: Tuning): string {
  return constants.map(({ name, low, high }) => `${name} (${low} to ${high})`).join(', ');
}
