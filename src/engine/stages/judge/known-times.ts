import { z } from 'zod';
import type { BaselineTime } from '../../../shared/budget.ts';
import type { Contract } from '../../../shared/contract.ts';
import type { Repository } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import { baselineTimes } from './study-budget.ts';

/** Under which the ledger keeps, by repository, how long the code took in the last check of its metric. */
const SETTING = 'baseline-times';

const savedSchema = z.object({
  train: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  times: z.array(z.object({ seconds: z.number(), trainingSeconds: z.number().nullable() })),
});
type SavedTimes = z.infer<typeof savedSchema>;

/** Call it inside `ledger.write`. */
export function saveTimes(ledger: Ledger, gitDir: string, times: SavedTimes): void {
  ledger.settings.set(`${SETTING} ${gitDir}`, times);
}

/**
 * What the code of a repository takes with this training command, as the baseline of its last study or the last check of its metric
 * told, whichever is newer. Empty where neither has run.
 */
export function knownTimes(
  ledger: Ledger,
  { gitDir }: Repository,
  { train }: Contract,
): readonly BaselineTime[] {
  const saved = savedSchema.safeParse(ledger.settings.get(`${SETTING} ${gitDir}`)).data;
  const checked = saved?.train === train ? saved : null;
  for (const study of ledger.studies.list()) {
    if (study.createdAt < (checked?.at ?? 0)) break;
    if (study.gitDir !== gitDir || study.contract.train !== train || study.state === 'imported') continue;
    const times = baselineTimes(study.id, ledger);
    if (times.length > 0) return times;
  }
  return checked?.times ?? [];
}
