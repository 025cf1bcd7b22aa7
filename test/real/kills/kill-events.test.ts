import { test } from 'vitest';
import { killAtEvent } from '../../support/kills.ts';

const BASELINE_STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'study_started' },
  { type: 'experiment_started', n: 0 },
  { type: 'attempted', n: 0 },
  { type: 'phase', n: 0, phase: 'training' },
  { type: 'run_started', n: 0 },
  { type: 'run_finished', n: 0 },
  { type: 'phase', n: 0, phase: 'deciding' },
  { type: 'verdict', n: 0 },
  { type: 'new_best', n: 0 },
];
const EXPERIMENT_STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'experiment_started', n: 1 },
  { type: 'proposed', n: 1 },
  { type: 'attempted', n: 1 },
  { type: 'phase', n: 1, phase: 'training' },
  { type: 'run_started', n: 1 },
  { type: 'progress', n: 1 },
  { type: 'phase', n: 1, phase: 'measuring' },
  { type: 'run_finished', n: 1 },
  { type: 'phase', n: 1, phase: 'deciding' },
  { type: 'verdict', n: 1 },
  // The search's first two steps are no gain.
  { type: 'new_best', n: 3 },
];

for (const state of [...BASELINE_STATES, ...EXPERIMENT_STATES]) {
  const words = Object.values(state).join(' ');
  test(`a kill at the event "${words}" loses nothing, and the study goes on`, () => killAtEvent(state));
}
