/** The x axis of a curve; `training` is the time since the run's first step. */
export type SeriesAxis = 'seconds' | 'training' | 'step' | 'tokens';

/** What x counts. */
export const AXIS_LABELS: Readonly<Record<SeriesAxis, string>> = {
  seconds: 'seconds since the run began',
  training: 'seconds since the first step',
  step: 'step',
  tokens: 'tokens trained on',
};

/** Whether the axis is in seconds. */
export function isTime(by: SeriesAxis): boolean {
  return by === 'seconds' || by === 'training';
}

/** The axis in the host's terms. */
export function askedAxis(by: SeriesAxis): 'seconds' | 'step' | 'tokens' {
  return by === 'training' ? 'seconds' : by;
}
