import type { Mark, Pace } from '../../shared/notebook.ts';
import type { Study } from '../../shared/study.ts';
import { stopLimits } from '../session/loop/stop-rules.ts';
import type { Ledger } from '../store/ledger.ts';

/** The pace of the study's newest sitting; null before its first. */
export function sittingPace(ledger: Ledger, { id, stop }: Pick<Study, 'id' | 'stop'>): Pace | null {
  const started = ledger.marks.newestOfKind(id, 'started');
  if (!started) return null;
  // Experiments that an earlier sitting left unfinished have lower numbers.
  const { count, firstAt, lastAt } = ledger.experiments.endedSince(id, started.n - 1, started.at);
  const pauses = pausesIn(ledger.marks.after(id, started.id));
  const continuedAt = pauses.at(-1)?.to ?? started.at;
  const deadline = stopLimits(stop, started.at).deadline ?? null;
  if (firstAt === null || lastAt === null) return { deadline, experimentMs: null, since: continuedAt };
  const from = Math.max(started.at, firstAt);
  const paused = pauses.filter(({ to }) => to <= lastAt).reduce((sum, { from, to }) => sum + to - from, 0);
  return { deadline, experimentMs: (lastAt - from - paused) / count, since: Math.max(lastAt, continuedAt) };
}

/** The finished pauses. */
function pausesIn(marks: readonly Mark[]): readonly { readonly from: number; readonly to: number }[] {
  const pauses: { from: number; to: number }[] = [];
  let pausedAt: number | null = null;
  for (const { kind, at } of marks) {
    if (kind === 'paused') pausedAt = at;
    if (kind !== 'continued' || pausedAt === null) continue;
    pauses.push({ from: pausedAt, to: at });
    pausedAt = null;
  }
  return pauses;
}
