import { z } from 'zod';
import type { BaselineTime } from '../../../shared/contract/budget.ts';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { Repository } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import { baselineTimes } from './study-budget.ts';

/** The ledger's name for how long a repository's code took in the last check of its metric. */
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
 * How long a repository's code takes with this training command: from the baseline of its last study or from the last
 * check of its metric, whichever is newer. Empty if neither has run.
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
