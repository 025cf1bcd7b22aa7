import { z } from 'zod';
import { SEARCH_STRATEGIES } from '../../../shared/proposers/proposers.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import { isOfUser } from '../../store/refusals.ts';
import type { ProposalRequest } from '../proposer.ts';
import { signed } from './words.ts';

const MAX_EXPERIMENTS = 20;
const SHOWN = 5;

/** What a model can hand to the search: constants to vary, and for how many experiments. */
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
  /** The answer to the user's new notes. */
  answer: z.string().trim().max(2_000).optional(),
});

/** Each experiment of a tuning stores it in its memo, so that the history is its only state. */
const memoSchema = z.object({
  tuning: tuningSchema.extend({
    /** Number of its first experiment. */
    first: z.number().int(),
    /** How many more experiments it may have after this one. */
    left: z.number().int(),
    /** How the search chooses; absent if it began when the ladder was the only way. */
    strategy: z.enum(SEARCH_STRATEGIES).optional(),
  }),
});
export type Tuning = z.infer<typeof memoSchema>['tuning'];

/** The tuning that an experiment with this memo belongs to, or null. */
export function tuningOf(memo: unknown): Tuning | null {
  const parsed = memoSchema.safeParse(memo);
  return parsed.success ? parsed.data.tuning : null;
}

/** After this many refused values for one experiment, the model is asked again. */
const REFUSALS = 3;

/** The tuning that continues with the next experiment; null if there is none, or the user has intervened since. */
export function openTuning({ n, history, running, steering, refusals }: ProposalRequest): Tuning | null {
  // A repeated value costs no run: it is refused, and the search takes another.
  const refused = refusals.filter(refusal => refusal.n === n && tuningOf(refusal.memo));
  if (refused.length >= REFUSALS) return null;
  const memos = [...history, ...running, ...refused].map(({ memo }) => memo);
  // Other proposers may have had turns in between.
  const newest = memos.findLast(memo => tuningOf(memo) !== null || isOfModel(memo));
  const tuning = tuningOf(newest);
  if (!tuning || tuning.left === 0) return null;
  const isSteered = steering.some(note => note.n > tuning.first);
  const isTurnedDown = refusals.some(refusal => refusal.n >= tuning.first && isOfUser(refusal));
  return isSteered || isTurnedDown ? null : tuning;
}

/** Whether the model itself proposed it. */
function isOfModel(memo: unknown): boolean {
  return typeof memo === 'object' && memo !== null && 'model' in memo && !('agent' in memo);
}

/** The results of the latest tunings, one line each. */
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
      best && best.record !== null && entries[0]?.incumbentMetric !== null
        ? `, ${signed(best.record - (entries[0]?.incumbentMetric ?? best.record))} in all, the last with "${best.hypothesis}"`
        : '';
    return `- #${tuning.first} to #${entries.at(-1)?.n}, ${namesOf(tuning)}: ${kept.length} of ${entries.length} kept${gain}`;
  });
}

export function namesOf({ constants }: Tuning): string {
  return constants.map(({ name, low, high }) => `${name} (${low} to ${high})`).join(', ');
}
