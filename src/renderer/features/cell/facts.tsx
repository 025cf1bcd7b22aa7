import { sum } from 'd3-array';
import type { ExperimentDetail, RunView, StudyCard } from '../../../shared/notebook.ts';
import {
  ABSENT,
  formatBytes,
  formatDuration,
  formatElectricity,
  formatEnergy,
  formatExactTime,
  formatMetric,
  formatNumber,
  formatUsd,
} from '../../../shared/numbers.ts';
import type { ReviewOutcome } from '../../../shared/review.ts';
import type { Settings } from '../../../shared/settings.ts';
import { claimWords } from '../../../shared/verdicts/claims.ts';
import { describeFlag } from '../../../shared/verdicts/fairness.ts';
import { TRUST_WORDS, trustOf } from '../../../shared/verdicts/trust.ts';
import { useStore } from '../../app/store.ts';

/** The run's measured numbers. */
export function Facts({
  card,
  detail,
  run,
}: {
  readonly card: StudyCard;
  readonly detail: ExperimentDetail;
  readonly run: RunView | null;
}) {
  const electricity = useStore(state => state.settings.electricity);
  const facts =
    card.state === 'imported' ? importedFacts(card, detail, run) : ownFacts(card, detail, run, electricity);
  // For an imported run, they are among its fields.
  const summary = card.state === 'imported' ? [] : (run?.summary ?? []);
  const printed = summary.filter(({ name }) => name !== card.contract.metric.name);
  return (
    <section aria-label="Numbers" className="min-w-0">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 text-sm">
        {facts.map(([name, value]) => (
          <Fact key={`${name} ${value}`} name={name} value={value} />
        ))}
      </dl>
      {printed.length > 0 ? (
        <>
          <h4 className="mt-3 mb-1 font-medium text-muted text-xs">What the training printed at its end</h4>
          <dl
            tabIndex={0}
            className="grid max-h-56 grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 overflow-y-auto text-sm"
          >
            {printed.map(({ name, value }) => (
              <Fact
                key={name}
                name={name}
                value={typeof value === 'number' ? formatNumber(value, 8) : value}
              />
            ))}
          </dl>
        </>
      ) : null}
    </section>
  );
}

type FactList = readonly (readonly [string, string])[];

function ownFacts(
  card: StudyCard,
  detail: ExperimentDetail,
  run: RunView | null,
  electricity: Settings['electricity'],
): FactList {
  const { cell, evidence } = detail;
  const claim = card.claims?.keeps.find(({ n }) => n === cell.n);
  return [
    [card.contract.metric.name, formatMetric(cell.metric)],
    ...(cell.record && cell.record.runs > 1
      ? [[`mean of ${cell.record.runs} runs`, formatMetric(cell.record.mean)] as const]
      : []),
    ...(claim ? [['claim', claimWords(claim)] as const] : []),
    ...printedOf(card, run),
    ...(evidence?.source === undefined ? [] : [['says', evidence.source] as const]),
    ['against', evidence?.incumbentMetric === undefined ? ABSENT : formatMetric(evidence.incumbentMetric)],
    ...(cell.memory === null
      ? []
      : [[card.contract.metric.memory ?? 'memory', formatNumber(cell.memory)] as const]),
    ['trained', formatDuration(cell.trainedSeconds)],
    ['outcome', run?.outcome ? describeOutcome(run.outcome) : run ? 'still running' : ABSENT],
    ['peak memory', formatBytes(run?.peakRssBytes)],
    ['CPU time', formatDuration(run?.cpuSeconds)],
    ['output', formatBytes(run?.outputBytes)],
    ...energyOf(run, electricity),
    ...(run?.flags ?? []).map(flag => [flag.isUnfair ? 'unfair' : 'noted', describeFlag(flag)] as const),
    ...(run?.isContained == null
      ? []
      : [
          ['sandbox', run.isContained ? 'contained' : 'not contained'] as const,
          ['number', TRUST_WORDS[trustOf(card.contract, run.isContained, cell.isAudited)]] as const,
        ]),
    ...(detail.proposer === null ? [] : [['proposed by', detail.proposer] as const]),
    ...(detail.mode === null ? [] : [['asked to', detail.mode] as const]),
    ...(detail.reviewed === null ? [] : [['reviewed', REVIEWED[detail.reviewed]] as const]),
    ...costOf(card, detail),
    ['commit', cell.commit?.slice(0, 10) ?? ABSENT],
    ['parent', detail.parentCommit?.slice(0, 10) ?? ABSENT],
    ['began', formatExactTime(cell.startedAt)],
    ...(cell.endedAt === null ? [] : [['ended', formatExactTime(cell.endedAt)] as const]),
  ];
}

/** The number that the training printed, if a scorer gives the real one. */
function printedOf(card: StudyCard, run: RunView | null): FactList {
  const { score, metric } = card.contract;
  const printed = score && run?.summary.find(({ name }) => name === `printed_${metric.name}`);
  return printed ? [['it printed', formatMetric(Number(printed.value))]] : [];
}

/** Only the values that an import contains. */
function importedFacts(card: StudyCard, { cell, imported }: ExperimentDetail, run: RunView | null): FactList {
  const ends = cell.endedAt === null ? [] : [cell.startedAt, cell.endedAt].map(formatExactTime);
  return [
    [card.contract.metric.name, formatMetric(cell.metric)],
    ...(cell.memory === null
      ? []
      : [[card.contract.metric.memory ?? 'memory', formatNumber(cell.memory)] as const]),
    ...(cell.trainedSeconds === null ? [] : [['trained', formatDuration(cell.trainedSeconds)] as const]),
    ...(run?.outcome && run.outcome.kind !== 'untold'
      ? [['outcome', describeOutcome(run.outcome)] as const]
      : []),
    ...(cell.commit === null ? [] : [['commit', cell.commit.slice(0, 10)] as const]),
    ...ends.map((time, place) => [place === 0 ? 'began' : 'ended', time] as const),
    ...(imported ?? []).flatMap(({ name, value }) =>
      value === '' ? [] : [[`imported: ${name}`, value] as const],
    ),
  ];
}

function energyOf(
  run: RunView | null,
  electricity: Settings['electricity'],
): readonly (readonly [string, string])[] {
  if (run?.gpuEnergyWh == null) return [];
  const cost = formatElectricity(run.gpuEnergyWh, electricity);
  return [
    ['GPU energy', formatEnergy(run.gpuEnergyWh)],
    ...(cost === null ? [] : [['electricity', cost] as const]),
  ];
}

const REVIEWED: Readonly<Record<ReviewOutcome, string>> = {
  approved: 'approved by you',
  edited: 'approved with your changes',
  auto: 'approved by switching approval off',
  sent_back: 'sent back by you',
  rejected: 'rejected by you',
};

/** The cost of its model calls; for a model without a price, only tokens. */
function costOf(card: StudyCard, { calls }: ExperimentDetail): readonly (readonly [string, string])[] {
  if (calls.length === 0) {
    return [
      ['cost', card.proposer.kind === 'command' ? 'not reported by the command' : 'none: no model was asked'],
    ];
  }
  const failed = calls.filter(({ outcome }) => outcome !== 'ok').length;
  const kept = calls.filter(({ isKept }) => isKept).length;
  const more = [failed > 0 ? `${failed} failed` : '', kept > 0 ? `${kept} answered before` : ''].filter(
    Boolean,
  );
  const isPriced = calls.every(({ costUsd }) => costUsd !== null);
  const usd = sum(calls, call => call.costUsd);
  return [
    [
      'cost',
      isPriced
        ? formatUsd(usd)
        : usd > 0
          ? `${formatUsd(usd)} plus uncounted calls`
          : 'the model has no price',
    ],
    ['calls', [calls.length, ...more].join(', ')],
    ['tokens in', formatNumber(sum(calls, call => call.tokens.input))],
    ['from the cache', formatNumber(sum(calls, call => call.tokens.cacheRead))],
    ['to the cache', formatNumber(sum(calls, call => call.tokens.cacheWrite))],
    ['tokens out', formatNumber(sum(calls, call => call.tokens.output))],
  ];
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt className="truncate text-muted" title={name}>
        {name}
      </dt>
      <dd className="tabular truncate text-right" title={value}>
        {value}
      </dd>
    </>
  );
}

function describeOutcome(outcome: NonNullable<RunView['outcome']>): string {
  if (outcome.kind === 'exit') return outcome.code === 0 ? 'succeeded' : `exit code ${outcome.code}`;
  if (outcome.kind === 'signal') return `signal ${outcome.signal}`;
  return outcome.kind.replaceAll('_', ' ');
}
