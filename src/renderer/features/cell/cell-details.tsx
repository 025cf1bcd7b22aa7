import { RotateCcw, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { claimWords } from '../../../shared/claims.ts';
import { describeFlag } from '../../../shared/fairness.ts';
import { describeGuard, type GuardFailure } from '../../../shared/guard.ts';
import type { ModelCall } from '../../../shared/model-calls.ts';
import type { Cell, ExperimentDetail, RunView, Settings, StudyCard } from '../../../shared/notebook.ts';
import { describePrune, type PruneEvidence } from '../../../shared/prune.ts';
import { describeRollBack } from '../../../shared/repeats.ts';
import type { ReviewOutcome } from '../../../shared/review.ts';
import type { RolledBack } from '../../../shared/study.ts';
import { TRUST_WORDS, trustOf } from '../../../shared/trust.ts';
import { showOverlay } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { tellCalls } from '../../format/call-words.ts';
import {
  ABSENT,
  formatBytes,
  formatDelta,
  formatDuration,
  formatElectricity,
  formatEnergy,
  formatExactTime,
  formatMetric,
  formatNumber,
  formatUsd,
} from '../../format/numbers.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { TabList, tabId } from '../../ui/tab-list.tsx';
import { LazyDiffView } from '../../viewers/lazy-diff-view.tsx';
import { AwaitedNumber } from './awaited-number.tsx';
import { NotesAndTags } from './notes-and-tags.tsx';
import { RunCurves } from './run-curves.tsx';
import { RunLog } from './run-log.tsx';

const PARTS = ['why', 'diff', 'curves', 'log'] as const;
const PART_NAMES = { why: 'Why and what came of it', diff: 'Diff', curves: 'Curves', log: 'Log' } as const;

const ELSEWHERE = 'This experiment was run elsewhere.';

/** An opened cell: everything the ledger has of an experiment. */
export function CellDetails({ card, cell }: { readonly card: StudyCard; readonly cell: Cell }) {
  const [part, setPart] = useState<(typeof PARTS)[number]>('why');
  // Asked again when the cell has moved on.
  const version = [
    ...[cell.phase, cell.endedAt, cell.notes, cell.commit],
    ...[cell.record?.runs, cell.verdict?.reason, cell.trainedSeconds],
  ].join(' ');
  const subject = `experiment ${card.id} ${cell.n}`;
  const { value: detail, problem } = useCall(
    `${subject} ${version}`,
    () => getClient().experiments.get({ study: card.id, n: cell.n }),
    subject,
  );
  const [chosen, setChosen] = useState<number | null>(null);
  const runs = detail?.runs ?? [];
  // The one that decided, until another is chosen.
  const run = runs.find(({ k }) => k === (chosen ?? detail?.evidence?.run)) ?? runs.at(-1) ?? null;
  const panel = `details-${cell.n}`;
  return (
    <div className="mx-4 mb-4 ml-9 min-h-80 overflow-hidden rounded-lg border border-line bg-surface">
      <h2 className="sr-only">Experiment {cell.n}</h2>
      <div className="flex items-center justify-between border-line border-b px-2">
        <TabList
          label={`Experiment ${cell.n}`}
          names={PARTS}
          titles={PART_NAMES}
          chosen={part}
          panel={panel}
          onChoose={setPart}
          isSmall
        />
        <span className="flex items-center gap-2">
          {runs.length > 1 ? (
            <select
              aria-label="Run"
              value={run?.k ?? 0}
              onChange={event => setChosen(Number(event.target.value))}
              className="h-7 rounded-md border border-line-strong bg-surface px-2 text-xs"
            >
              {runs.map(({ k }) => (
                <option key={k} value={k}>
                  Run {k + 1} of {runs.length}
                </option>
              ))}
            </select>
          ) : null}
          {cell.n > 0 && cell.commit !== null && card.state !== 'imported' ? (
            <Button size="small" onClick={() => showOverlay({ name: 'queue', again: cell.n })}>
              <RotateCcw size={13} aria-hidden /> Try again …
            </Button>
          ) : null}
        </span>
      </div>
      <div id={panel} role="tabpanel" aria-labelledby={tabId(panel, part)}>
        {problem ? <p className="p-4 text-crash text-sm">{problem}</p> : null}
        {!detail && !problem ? (
          <p className="p-4 text-muted text-sm" role="status">
            Reading …
          </p>
        ) : null}
        {detail && part === 'why' ? <Why card={card} detail={detail} run={run} /> : null}
        {detail && part === 'diff' ? <Diff card={card} cell={cell} /> : null}
        {detail && part === 'curves' ? <RunCurves card={card} detail={detail} run={run} /> : null}
        {detail && part === 'log' ? <Log card={card} cell={cell} run={run} /> : null}
      </div>
    </div>
  );
}

function Log({
  card,
  cell,
  run,
}: {
  readonly card: StudyCard;
  readonly cell: Cell;
  readonly run: RunView | null;
}) {
  if (card.state === 'imported')
    return <p className="p-4 text-muted text-sm">{ELSEWHERE} It has no log here.</p>;
  if (!run) return <p className="p-4 text-muted text-sm">Nothing has run yet, so there is no log.</p>;
  return (
    <div className="h-[min(24rem,45vh)]">
      <RunLog key={run.k} study={card.id} n={cell.n} run={run} />
    </div>
  );
}

function Diff({ card, cell }: { readonly card: StudyCard; readonly cell: Cell }) {
  const mode = useStore(state => state.settings.diff);
  const isHere = cell.commit !== null && card.state !== 'imported';
  const { value, problem } = useCall(isHere ? `diff ${card.id} ${cell.n} ${cell.commit}` : null, () =>
    getClient().experiments.diff({ study: card.id, n: cell.n }),
  );
  if (card.state === 'imported')
    return <p className="p-4 text-muted text-sm">{ELSEWHERE} It has no diff here.</p>;
  if (!cell.commit)
    return <p className="p-4 text-muted text-sm">There is no commit yet, so there is no diff.</p>;
  if (problem) return <p className="p-4 text-crash text-sm">{problem}</p>;
  if (!value) {
    return (
      <p className="p-4 text-muted text-sm" role="status">
        Reading …
      </p>
    );
  }
  return (
    <div className="max-h-[32rem] overflow-y-auto">
      <LazyDiffView
        diff={value.diff}
        isCut={value.isCut}
        mode={mode}
        onMode={diff => void saveSettings({ diff })}
        label={`Changes of experiment ${cell.n}`}
      />
    </div>
  );
}

function Why({
  card,
  detail,
  run,
}: {
  readonly card: StudyCard;
  readonly detail: ExperimentDetail;
  readonly run: RunView | null;
}) {
  const { cell, rationale } = detail;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_20rem] gap-6 p-4">
      <div className="flex min-w-0 flex-col gap-4">
        <section aria-label="Rationale">
          <h3 className="mb-1 break-words font-medium">{cell.hypothesis ?? 'No hypothesis yet'}</h3>
          {rationale === null && card.state === 'imported' ? null : (
            <p className="whitespace-pre-wrap break-words text-sm">
              {rationale ?? <span className="text-muted">The proposer gave no reason.</span>}
            </p>
          )}
        </section>
        <AwaitedNumber card={card} detail={detail} />
        {run?.crash ? <CrashReport crash={run.crash} /> : null}
        {detail.evidence?.guard ? <FailedGuard guard={detail.evidence.guard} /> : null}
        {detail.evidence?.rolledBack ? (
          <RolledBackNote n={cell.n} rolledBack={detail.evidence.rolledBack} />
        ) : null}
        {detail.evidence?.pruned ? <EarlyEnd evidence={detail.evidence.pruned} /> : null}
        <Effect card={card} detail={detail} />
        {detail.files.length > 0 ? <Files files={detail.files} /> : null}
        {detail.refusals.length > 0 ? (
          <section aria-label="Refused proposals">
            <h4 className="mb-1 font-medium text-muted text-xs">Refused before this one</h4>
            <ul className="flex flex-col gap-1 text-sm">
              {detail.refusals.map(refusal => (
                <li key={`${refusal.at}${refusal.message}`} className="break-words">
                  {refusal.hypothesis ? `${refusal.hypothesis}: ` : ''}
                  <span className="text-muted">{refusal.message}</span>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <ToldCalls calls={detail.calls} />
        <NotesAndTags study={card.id} detail={detail} />
      </div>
      <Facts card={card} detail={detail} run={run} />
    </div>
  );
}

/** What went another way than asked: a model that declined, another that answered, a server that failed. */
function ToldCalls({ calls }: { readonly calls: readonly ModelCall[] }) {
  const told = tellCalls(calls);
  if (told.length === 0) return null;
  return (
    <section aria-label="What the calls said">
      <h4 className="mb-1 font-medium text-muted text-xs">What its calls to a model said</h4>
      <ul className="flex flex-col gap-1 text-sm">
        {told.map(({ text, count }) => (
          <li key={text} className="break-words">
            {text}
            {count > 1 ? <span className="text-muted"> · {count} times</span> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function FailedGuard({ guard }: { readonly guard: GuardFailure }) {
  return (
    <section aria-label="Failed guard" className="rounded-lg bg-sunken p-3">
      <h4 className="font-medium text-sm">
        {guard.kind === 'check' ? 'A check failed' : 'A condition did not hold'}, so its number does not count
      </h4>
      <p className="mt-0.5 break-words text-sm">{describeGuard(guard)}.</p>
      <OutputTail lines={guard.tail} />
    </section>
  );
}

function OutputTail({ lines }: { readonly lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <pre tabIndex={0} className="mt-2 max-h-56 overflow-auto font-mono text-xs leading-relaxed">
      {lines.join('\n')}
    </pre>
  );
}

function CrashReport({ crash }: { readonly crash: NonNullable<RunView['crash']> }) {
  return (
    <section aria-label="Crash" className="rounded-lg bg-crash-soft p-3">
      <h4 className="font-medium text-crash text-sm">{crash.class.replaceAll('_', ' ')}</h4>
      <p className="mt-0.5 break-words text-sm">{crash.message}</p>
      <OutputTail lines={crash.tail} />
    </section>
  );
}

function EarlyEnd({ evidence }: { readonly evidence: PruneEvidence }) {
  return (
    <section aria-label="Ended early" className="rounded-lg bg-sunken p-3">
      <h4 className="font-medium text-sm">Ended early, without a number</h4>
      <p className="mt-0.5 break-words text-sm">It was {describePrune(evidence)}.</p>
    </section>
  );
}

/** What was predicted beside what was measured. */
function Effect({ card, detail }: { readonly card: StudyCard; readonly detail: ExperimentDetail }) {
  const { cell, incumbent } = detail;
  if (cell.predictedEffect === null && cell.delta === null) return null;
  const scale = Math.max(Math.abs(cell.predictedEffect ?? 0), Math.abs(cell.delta ?? 0)) || 1;
  const bar = (label: string, value: number | null) => (
    <div className="grid grid-cols-[5.5rem_minmax(0,1fr)_6.5rem] items-center gap-2 text-sm">
      <span className="text-muted">{label}</span>
      <span className="relative h-2 rounded-full bg-sunken" aria-hidden>
        <span
          className={classNames(
            'absolute inset-y-0 rounded-full',
            value !== null && isGood(card, value) ? 'bg-keep' : 'bg-line-strong',
          )}
          style={{
            left: value !== null && value < 0 ? `${50 - (50 * -value) / scale}%` : '50%',
            width: `${value === null ? 0 : (50 * Math.abs(value)) / scale}%`,
          }}
        />
        <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />
      </span>
      <span className="tabular text-right">{value === null ? ABSENT : formatDelta(value)}</span>
    </div>
  );
  return (
    <section aria-label="Predicted and actual effect" className="flex max-w-lg flex-col gap-1">
      <h4 className="mb-0.5 font-medium text-muted text-xs">
        Effect on {card.contract.metric.name}
        {incumbent === null ? '' : `, against #${incumbent}`}
      </h4>
      {bar('Predicted', cell.predictedEffect)}
      {bar('Actual', cell.delta)}
    </section>
  );
}

function isGood(card: StudyCard, delta: number): boolean {
  return card.contract.metric.goal === 'minimize' ? delta < 0 : delta > 0;
}

function Files({ files }: { readonly files: ExperimentDetail['files'] }) {
  return (
    <section aria-label="Changed files">
      <h4 className="mb-1 font-medium text-muted text-xs">Changed files</h4>
      <ul className="text-sm">
        {files.map(file => (
          <li key={file.path} className="flex gap-3">
            <span className="min-w-0 truncate font-mono text-xs leading-6" title={file.path}>
              {file.path}
            </span>
            {file.added === null ? (
              <span className="text-muted">binary</span>
            ) : (
              <span className="tabular">
                <span className="text-keep">+{file.added}</span>{' '}
                <span className="text-crash">−{file.removed}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Numbers of the run, as far as they were measured. */
function Facts({
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
  // Of an imported run they are among its fields.
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
    ...(run?.flags ?? []).map(flag => [flag.isUnfair ? 'not fair' : 'noticed', describeFlag(flag)] as const),
    ...(run?.isContained == null
      ? []
      : [
          ['sandbox', run.isContained ? 'contained' : 'not contained'] as const,
          ['number', TRUST_WORDS[trustOf(card.contract, run.isContained)]] as const,
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

/** What the training said of itself, where a scorer has the word. */
function printedOf(card: StudyCard, run: RunView | null): FactList {
  const { score, metric } = card.contract;
  const printed = score && run?.summary.find(({ name }) => name === `printed_${metric.name}`);
  return printed ? [['it printed', formatMetric(Number(printed.value))]] : [];
}

/** What somebody wrote down elsewhere, and nothing else. */
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

/** What its calls to a model took; a model without a price has tokens only. */
function costOf(card: StudyCard, { calls }: ExperimentDetail): readonly (readonly [string, string])[] {
  if (calls.length === 0) {
    return [
      ['cost', card.proposer.kind === 'command' ? 'not told by the command' : 'none: no model was asked'],
    ];
  }
  const sum = (pick: (call: ModelCall) => number | null) =>
    calls.reduce((total, call) => total + (pick(call) ?? 0), 0);
  const failed = calls.filter(({ outcome }) => outcome !== 'ok').length;
  const kept = calls.filter(({ isKept }) => isKept).length;
  const more = [failed > 0 ? `${failed} failed` : '', kept > 0 ? `${kept} answered before` : ''].filter(
    Boolean,
  );
  const isPriced = calls.every(({ costUsd }) => costUsd !== null);
  const usd = sum(call => call.costUsd);
  return [
    [
      'cost',
      isPriced
        ? formatUsd(usd)
        : usd > 0
          ? `${formatUsd(usd)} and what nobody counted`
          : 'the model has no price',
    ],
    ['calls', [calls.length, ...more].join(', ')],
    ['tokens in', formatNumber(sum(call => call.tokens.input))],
    ['from the cache', formatNumber(sum(call => call.tokens.cacheRead))],
    ['to the cache', formatNumber(sum(call => call.tokens.cacheWrite))],
    ['tokens out', formatNumber(sum(call => call.tokens.output))],
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
  if (outcome.kind === 'exit') return outcome.code === 0 ? 'ended well' : `exit code ${outcome.code}`;
  if (outcome.kind === 'signal') return `signal ${outcome.signal}`;
  return outcome.kind.replaceAll('_', ' ');
}

/** Why a keep was taken back. */
function RolledBackNote({ n, rolledBack }: { readonly n: number; readonly rolledBack: RolledBack }) {
  return (
    <p className="flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm">
      <Undo2 size={15} aria-hidden className="mt-0.5 shrink-0 text-warn" />
      {describeRollBack({ ...rolledBack, n, parent: rolledBack.parentExperiment })}
    </p>
  );
}
