import type { EngineEventBody } from '../../shared/events.ts';
import { describeHostAway } from '../../shared/machines/hosts.ts';
import { formatPercent } from '../../shared/numbers.ts';
import { describeRest } from '../../shared/proposers/rests.ts';
import type { Notice } from '../../shared/settings.ts';
import { STOP_WORDS } from '../../shared/study.ts';
import { describeHints } from '../../shared/verdicts/probes.ts';
import { describeRollBack, describeTakeBack } from '../../shared/verdicts/repeats.ts';
import type { Ledger } from '../store/ledger.ts';

/** This many crashes in a row are worth a notification. */
const CRASHES_WORTH_TELLING = 3;
/** Events that may deserve a notification; all others are too frequent to examine. */
const NOTICED: ReadonlySet<string> = new Set([
  'new_best',
  'verdict',
  'rolled_back',
  'taken_back',
  'review_opened',
  'awaiting_number',
  'warning',
  'host_away',
  'proposer_rests',
  'study_stopped',
] satisfies EngineEventBody['type'][]);

/** The notification for an event; null for most events. Call it once the ledger holds the event. */
export function noticeOf(event: EngineEventBody, at: number, studyId: string, ledger: Ledger): Notice | null {
  if (!NOTICED.has(event.type)) return null;
  const study = ledger.studies.get(studyId);
  if (!study) return null;
  const of = (kind: Notice['kind'], title: string, body: string, n: number | null = null): Notice => ({
    ...{ kind, title, body, n },
    study: study.id,
  });
  switch (event.type) {
    case 'new_best':
      if (event.previous === null) return null;
      return of(
        'new_best',
        `New best: ${event.metric}`,
        describeGain({ tag: study.tag, name: study.contract.metric.name }, event),
        event.n,
      );
    case 'verdict':
      if (event.verdict !== 'crash') return null;
      if (ledger.experiments.crashesInRow(study.id) !== CRASHES_WORTH_TELLING) return null;
      return of(
        'crashes',
        `${study.tag}: ${CRASHES_WORTH_TELLING} crashes in a row`,
        event.message ?? event.reason,
        event.n,
      );
    case 'rolled_back':
      return of('attention', `${study.tag}: #${event.n} is taken back`, describeRollBack(event), event.n);
    case 'taken_back':
      return of('attention', `${study.tag}: #${event.n} is taken back`, describeTakeBack(event), event.n);
    case 'review_opened':
      return of(
        'attention',
        `${study.tag}: a proposal waits for you`,
        [event.hypothesis, ...(event.hints.length > 0 ? [describeHints(event.hints)] : [])].join('. '),
        event.n,
      );
    case 'awaiting_number': {
      const { name, command } = study.contract.metric;
      if (command !== null) return null;
      return of(
        'attention',
        `${study.tag}: experiment ${event.n} waits for its ${name}`,
        "Type it into the experiment's cell.",
        event.n,
      );
    }
    case 'warning':
      return of('attention', `${study.tag} needs attention`, event.message);
    case 'host_away':
      return of('attention', `${study.tag}: ${event.host} is out of reach`, describeHostAway(event));
    case 'proposer_rests':
      return of('attention', `${study.tag}: ${event.proposer} cannot propose`, describeRest(event, at));
    case 'study_stopped': {
      if (event.reason === 'user') return null;
      const isTrouble = ['error', 'proposer', 'baseline_failed', 'crashes'].includes(event.reason);
      const best = event.best === null ? '' : ` Best ${event.best} in #${event.bestExperiment}.`;
      const crash =
        event.reason === 'baseline_failed' ? ledger.runs.crashMessages(study.id).get(0) : undefined;
      const why = event.detail ?? STOP_WORDS[event.reason];
      return of(
        isTrouble ? 'attention' : 'study_ended',
        isTrouble ? `${study.tag} stopped and needs attention` : `${study.tag} has ended`,
        [crash ? `${why.replace(/\.$/, ':')} ${crash}` : `${why}${best}`, ...event.claims.slice(0, 1)].join(
          ' ',
        ),
        event.bestExperiment ?? (crash ? 0 : null),
      );
    }
    default:
      return null;
  }
}

/** The change of the metric, as a sentence. */
export function describeGain(
  { tag, name }: { readonly tag: string; readonly name: string },
  { n, metric, previous }: Pick<Extract<EngineEventBody, { type: 'new_best' }>, 'n' | 'metric' | 'previous'>,
): string {
  if (metric === previous)
    return `${name} ${metric} as before, with simpler code, in experiment ${n} of ${tag}.`;
  const change =
    previous === null || previous === 0
      ? ''
      : ` (${formatPercent((metric - previous) / Math.abs(previous), 2)})`;
  return `${name} ${previous} → ${metric}${change} in experiment ${n} of ${tag}.`;
}
