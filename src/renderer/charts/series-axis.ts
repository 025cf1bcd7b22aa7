/** What the points of a curve are placed by; `training` is the time since the first step of its run. */
export type SeriesAxis = 'seconds' | 'training' | 'step' | 'tokens';

/** What x counts. */
export const AXIS_LABELS: Readonly<Record<SeriesAxis, string>> = {
  seconds: 'seconds since the run began',
  training: 'seconds since the first step',
  step: 'step',
  tokens: 'tokens trained on',
};

/** Whether x counts seconds. */
export function isTime(by: SeriesAxis): boolean {
  return by === 'seconds' || by === 'training';
}

/** As the host is asked for the points. */
export function askedAxis(by: SeriesAxis): 'seconds' | 'step' | 'tokens' {
  return by === 'training' ? 'seconds' : by;
}
