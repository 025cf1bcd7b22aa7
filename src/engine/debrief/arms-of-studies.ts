import type { ArmsOfStudies } from '../../shared/debrief/debrief.ts';
import type { Study } from '../../shared/study.ts';
import type { Ledger } from '../store/ledger.ts';
import { compareArms } from './arms.ts';
import { readRows, readTrials } from './read-trials.ts';

/**
 * Compares the proposers of all studies of the same repository and metric; null if this is the only study. The
 * studies may have begun at different commits, from which a gain is not equally hard.
 */
export async function armsOfStudies(ledger: Ledger, study: Study): Promise<ArmsOfStudies | null> {
  const { name, goal } = study.contract.metric;
  const studies = ledger.studies.list().filter(({ gitDir, state, contract: { metric } }) => {
    const isSame = gitDir === study.gitDir && metric.name === name && metric.goal === goal;
    return isSame && state !== 'imported';
  });
  if (studies.length < 2 || study.state === 'imported') return null;
  const all = await Promise.all(
    studies.map(async other => {
      const rows = readRows(ledger, other.id);
      return { calls: rows.calls, trials: await readTrials(ledger, other, rows, { hasEdits: false }) };
    }),
  );
  return {
    studies: studies.map(({ tag }) => tag),
    arms: compareArms(
      all.flatMap(({ trials }) => trials),
      all.flatMap(({ calls }) => calls),
    ),
  };
}
