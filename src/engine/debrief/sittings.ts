import type { DebriefSitting } from '../../shared/debrief/debrief.ts';
import type { Mark } from '../../shared/notebook.ts';

/** A period; `until` is null while it lasts. */
export type Span = { readonly from: number; readonly until: number | null };

/**
 * When the study ran. If a sitting has no end, its engine died: it lasted until its last recorded event.
 * @param ends when each experiment ended, in any order
 */
export function findSittings(
  marks: readonly Mark[],
  ends: readonly number[],
  isRunning: boolean,
): readonly DebriefSitting[] {
  const spans: Span[] = [];
  const close = (until: number | null) => {
    const last = spans.at(-1);
    if (last && last.until === null) spans[spans.length - 1] = { ...last, until };
  };
  const lastBefore = (at: number) =>
    Math.max(spans.at(-1)?.from ?? 0, ...ends.filter(end => end <= at), ...marksBefore(marks, at));
  for (const { kind, at } of marks) {
    if (kind === 'started') {
      close(lastBefore(at));
      spans.push({ from: at, until: null });
    } else if (kind === 'stopped') close(at);
  }
  if (!isRunning) close(lastBefore(Number.POSITIVE_INFINITY));
  return spans.map(span => ({ ...span, experiments: ends.filter(end => isWithin(end, span)).length }));
}

/** Marks that only a running study leaves; the user can leave the others at any time. */
const OF_A_SITTING: readonly Mark['kind'][] = [
  ...([
    'paused',
    'continued',
    'rested',
    'host_away',
    'host_joined',
    'unfair',
    'handed_over',
    'repeated',
    'rolled_back',
    'warning',
  ] as const),
];

function marksBefore(marks: readonly Mark[], at: number): readonly number[] {
  return marks.filter(mark => OF_A_SITTING.includes(mark.kind) && mark.at < at).map(mark => mark.at);
}

export function isWithin(at: number | null, { from, until }: Span): boolean {
  return at !== null && at >= from && (until === null || at <= until);
}

/** For how many seconds of a span the study was paused. */
export function pausedSeconds(marks: readonly Mark[], span: Span, now: number): number {
  let [since, total]: [number | null, number] = [null, 0];
  for (const { kind, at } of marks.filter(mark => isWithin(mark.at, span))) {
    if (kind === 'paused') since ??= at;
    else if (since !== null && (kind === 'continued' || kind === 'stopped')) {
      total += at - since;
      since = null;
    }
  }
  if (since !== null) total += (span.until ?? now) - since;
  return total / 1000;
}

/** For how many seconds the lanes of each host were missing. */
export function awaySeconds(
  marks: readonly Mark[],
  spans: readonly Span[],
  now: number,
): readonly { readonly host: string; readonly seconds: number }[] {
  const seconds = new Map<string, number>();
  for (const span of spans) {
    const within = marks.filter(mark => isWithin(mark.at, span));
    for (const { at, kind, host } of within) {
      if (kind !== 'host_away' || host === null) continue;
      const joined = within.find(mark => mark.kind === 'host_joined' && mark.host === host);
      const until = joined?.at ?? span.until ?? now;
      seconds.set(host, (seconds.get(host) ?? 0) + (until - at) / 1000);
    }
  }
  return [...seconds].map(([host, total]) => ({ host, seconds: total }));
}
