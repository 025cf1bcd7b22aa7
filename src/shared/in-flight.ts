import type { CurrentExperiment, StudyCard } from './notebook.ts';

/** How many of several experiments in flight are training, like "3 of 4 experiments training"; null for one or none. */
export function describeInFlight({ inFlight }: Pick<StudyCard, 'inFlight'>): string | null {
  if (inFlight.length < 2) return null;
  const training = inFlight.filter(isTraining).length;
  return `${training} of ${inFlight.length} experiments training`;
}

/** The one that has trained longest, assuming that all take equally long; null if none is training. */
export function nextToEnd({ inFlight }: Pick<StudyCard, 'inFlight'>): CurrentExperiment | null {
  const started = ({ run }: CurrentExperiment) => run?.startedAt ?? Number.POSITIVE_INFINITY;
  return inFlight
    .filter(isTraining)
    .reduce<CurrentExperiment | null>(
      (first, other) => (first && started(first) <= started(other) ? first : other),
      null,
    );
}

function isTraining({ phase, run }: CurrentExperiment): boolean {
  return phase === 'training' && run !== null;
}
