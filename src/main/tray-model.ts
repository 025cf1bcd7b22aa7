import { describeInFlight, nextToEnd } from '../shared/in-flight.ts';
import type { CurrentExperiment, StudyCard } from '../shared/notebook.ts';
import { phaseWord } from '../shared/phases.ts';
import { REQUEST_WORDS, withdrawWords } from '../shared/request-words.ts';

export type TrayIcon = 'idle' | 'running' | 'paused' | 'attention';

/** What an item of the tray's menu does. */
export type TrayAction =
  | { readonly do: 'open' }
  | { readonly do: 'show'; readonly study: string; readonly n: number | null }
  | { readonly do: 'request'; readonly study: string; readonly kind: 'pause' | 'continue' | 'stop' }
  | { readonly do: 'quit' };

export type TrayItem =
  | { readonly type: 'separator' }
  /** Without an action it is only text. */
  | { readonly type: 'normal'; readonly label: string; readonly action: TrayAction | null };

export type TrayModel = {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  readonly items: readonly TrayItem[];
};

const SEPARATOR: TrayItem = { type: 'separator' };
const TAIL: readonly TrayItem[] = [
  SEPARATOR,
  { type: 'normal', label: 'Open Pawl', action: { do: 'open' } },
  { type: 'normal', label: 'Quit Pawl', action: { do: 'quit' } },
];

/**
 * What the tray shows: the study with a sitting, else the one that was active last. `alert` is the title of a notice
 * that the user has not looked at yet; `now` is in milliseconds since the epoch.
 */
export function trayModel(
  running: StudyCard | null,
  latest: StudyCard | null,
  alert: string | null,
  now: number,
): TrayModel {
  const card = running ?? latest;
  const alertItems: readonly TrayItem[] = alert === null ? [] : [item(alert, card && showStudy(card))];
  if (!card) return { icon: iconOf(null, alert), tooltip: 'Pawl', items: [...alertItems, ...TAIL.slice(1)] };
  const state = describeState(running);
  const best = describeBest(card);
  const current = running ? describeRunning(running, now) : [];
  return {
    icon: iconOf(running, alert),
    tooltip: ['Pawl', `${card.tag}: ${state}`, best?.label, ...current.map(({ label }) => label)]
      .filter(Boolean)
      .join('\n'),
    items: [
      ...alertItems,
      item(`${card.tag}: ${state}`, showStudy(card)),
      ...(best ? [item(best.label, { do: 'show', study: card.id, n: best.n })] : []),
      ...current.map(({ label, n }) => item(label, { do: 'show', study: card.id, n })),
      ...withSeparator(running ? controls(running) : []),
      ...TAIL,
    ],
  };
}

function withSeparator(items: readonly TrayItem[]): readonly TrayItem[] {
  return items.length === 0 ? [] : [SEPARATOR, ...items];
}

function item(label: string, action: TrayAction | null): TrayItem {
  return { type: 'normal', label, action };
}

function showStudy(card: StudyCard): TrayAction {
  return { do: 'show', study: card.id, n: null };
}

/** Nothing trains until the user has reviewed a proposal. */
function isReviewing({ current }: StudyCard): boolean {
  return current?.phase === 'reviewing';
}

function iconOf(running: StudyCard | null, alert: string | null): TrayIcon {
  if (alert !== null) return 'attention';
  if (!running) return 'idle';
  return running.state === 'paused' || isReviewing(running) ? 'paused' : 'running';
}

function describeState(running: StudyCard | null): string {
  if (!running) return 'not running';
  if (running.state === 'paused') return 'paused';
  if (isReviewing(running) && !running.current?.wish) return 'waiting for your approval';
  const when = running.inFlight.length > 1 ? 'after these experiments' : 'after this experiment';
  switch (running.current?.wish) {
    case 'pause':
      return `pausing ${when}`;
    case 'stop':
      return `stopping ${when}`;
    default:
      return 'running';
  }
}

function describeBest(card: StudyCard): { readonly label: string; readonly n: number } | null {
  const { best, bestExperiment, baseline } = card.tally;
  if (best === null || bestExperiment === null) return null;
  const name = card.contract.metric.name;
  const from = baseline === null || bestExperiment === 0 ? '' : `, baseline ${formatMetric(baseline)}`;
  return {
    label: `Best so far: ${name} ${formatMetric(best)} in #${bestExperiment}${from}`,
    n: bestExperiment,
  };
}

type Line = { readonly label: string; readonly n: number | null };

/** The experiment in flight; if there are several, how many are training, and which one ends first. */
function describeRunning(running: StudyCard, now: number): readonly Line[] {
  if (running.state === 'paused') return [];
  const several = describeInFlight(running);
  const first = several === null ? running.current : nextToEnd(running);
  return [
    ...(several === null ? [] : [{ label: several, n: null }]),
    ...(first ? [describeExperiment(first, running, now)] : []),
  ];
}

function describeExperiment(
  { n, phase, run }: CurrentExperiment,
  { contract }: StudyCard,
  now: number,
): Line {
  if (!run) return { label: `#${n}: ${phaseWord(phase)}`, n };
  const elapsed = Math.max(0, (now - run.startedAt) / 1000);
  const left = contract.budget.seconds - elapsed;
  const time =
    left > 0
      ? `about ${formatDuration(left)} left`
      : `over its time; it ends in ${formatDuration(Math.max(0, contract.budget.limitSeconds - elapsed))} at the latest`;
  return { label: `#${n}: ${phaseWord(phase)}, ${time}`, n };
}

function controls(running: StudyCard): readonly TrayItem[] {
  const ask = (label: string, kind: 'pause' | 'continue' | 'stop') =>
    item(label, { do: 'request', study: running.id, kind });
  const stop = ask(REQUEST_WORDS.stop, 'stop');
  if (running.state === 'paused') return [ask('Resume', 'continue'), ask('Stop', 'stop')];
  switch (running.current?.wish) {
    case 'pause':
      return [ask(withdrawWords('pause'), 'continue'), stop];
    case 'stop':
      return [];
    default:
      return [ask(REQUEST_WORDS.pause, 'pause'), stop];
  }
}

/** Six significant digits, enough to distinguish neighbours on a leaderboard. */
function formatMetric(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
