import type { StudyCard } from '../../../shared/notebook.ts';
import { formatDuration } from '../../../shared/numbers.ts';
import { AUDIT_RUNS } from '../../../shared/verdicts/claims.ts';
import { openStudy, showOverlay } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { toast } from '../../app/toast.ts';

/** Long enough to read and decide; no answer is an answer too. */
const ASKED_MS = 20_000;

/**
 * What is still uncertain about the gains of a study that its user has just stopped; null if nothing is, or nothing
 * was kept.
 */
function openGains(before: StudyCard | undefined, { state, stopReason, claims }: StudyCard): string | null {
  const hasEnded = before !== undefined && before.state !== 'stopped' && state === 'stopped';
  if (!hasEnded || stopReason !== 'user' || !claims || claims.isRepeatable || claims.headline) return null;
  const { keeps } = claims;
  const unproven = keeps.filter(({ isProven }) => !isProven).length;
  if (keeps.length === 0) return null;
  const kept = keeps.length === 1 ? 'The gain is' : `${unproven} of ${keeps.length} gains are`;
  return unproven === 0 ? 'The gain was not measured again.' : `${kept} not proven.`;
}

/** When the user has stopped a study, asks once whether to measure its gains again. Returns a function that ends this. */
export function askAboutGains(): () => void {
  return useStore.subscribe((state, before) => {
    if (state.studies === before.studies) return;
    for (const card of state.studies) {
      const known = before.studies.find(({ id }) => id === card.id);
      const open = known === card ? null : openGains(known, card);
      if (open === null) continue;
      const time = formatDuration(AUDIT_RUNS * card.contract.budget.seconds);
      toast.info(`${card.tag} is stopped. ${open}`, {
        description: `${AUDIT_RUNS} more trainings, about ${time}, would say more.`,
        duration: ASKED_MS,
        action: {
          label: 'Audit …',
          onClick: () => {
            openStudy(card.id);
            showOverlay({ name: 'audit' });
          },
        },
      });
    }
  });
}
