import { CircleStop, MoreHorizontal, ShieldOff } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { betterSide } from '../../../shared/contract/contract.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import {
  ABSENT,
  formatElectricity,
  formatEnergy,
  formatMetric,
  formatNumber,
  formatPercent,
  formatUsd,
} from '../../../shared/numbers.ts';
import { titleOf } from '../../../shared/overview.ts';
import type { Settings } from '../../../shared/settings.ts';
import { countTried, describeTried } from '../../../shared/tried.ts';
import { describeClaims, type StudyClaims } from '../../../shared/verdicts/claims.ts';
import { jumpTo, leaveControls } from '../../app/actions.ts';
import { CommandButton, CommandIconButton, CommandItem } from '../../app/command-button.tsx';
import { isActive, useRunning, useStore } from '../../app/store.ts';
import { describeStop } from '../../format/stop-reasons.ts';
import { Button } from '../../ui/button.tsx';
import { Menu, MenuLine } from '../../ui/menu.tsx';
import { StatePill } from '../../ui/state-pill.tsx';
import { NowRunning } from '../live/now-running.tsx';

/** No line begins with it, as none ends between a count and its word. */
const SEPARATOR = '\u00a0· ';

/** Readable from across the room: the best value, and what is running. */
export function StudyHeader({ card }: { readonly card: StudyCard }) {
  const { tally, contract } = card;
  const electricity = useStore(state => state.settings.electricity);
  const cost = [describeSpend(card), describeEnergy(card, electricity)].filter(Boolean).join(SEPARATOR);
  return (
    <header className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-6 gap-y-1 px-6 pt-2 pb-1 xl:gap-y-0 xl:grid-cols-[minmax(0,1fr)_auto_auto] xl:grid-rows-[auto_1fr]">
      {/* In a narrow window the controls share the line of the title. */}
      <div className="col-span-full flex items-start justify-between gap-3 xl:contents">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 xl:col-start-1 xl:row-start-1">
          <h1 className="truncate font-semibold text-xl tracking-tight" title={card.repositoryPath}>
            {titleOf(card)}
          </h1>
          <StatePill card={card} />
          {card.isContained === false ? <NotContained /> : null}
        </div>
        <div className="shrink-0 xl:col-start-3 xl:row-span-2 xl:row-start-1">
          <Controls card={card} />
        </div>
      </div>
      <div className="col-start-1 row-start-2 min-w-0">
        <p className="mt-0.5 line-clamp-2 text-muted text-sm" title={cost}>
          {card.branch ?? (
            <>
              imported from{' '}
              <span className="inline-block max-w-56 truncate align-bottom" title={card.importedFrom ?? ''}>
                {card.importedFrom}
              </span>
            </>
          )}
          {SEPARATOR}
          {describeTried(countTried(tally)).replaceAll(/(?<=\d) /g, '\u00a0')}
          {tally.keepRate === null ? null : (
            <>
              {SEPARATOR}
              <span className="whitespace-nowrap" title="Of those with a verdict, without crashes.">
                keep rate {formatPercent(tally.keepRate, 1)}
              </span>
            </>
          )}
          {card.lanes.length === 0 ? null : (
            <span title={card.lanes.join(', ')}>
              {SEPARATOR}lanes&nbsp;{card.lanes.join(', ')}
            </span>
          )}
          {cost === '' ? '' : `${SEPARATOR}${cost}`}
        </p>
        {card.claims ? <Claims claims={card.claims} /> : null}
        <div className="mt-0.5 min-h-5">
          {isActive(card) ? (
            <NowRunning card={card} />
          ) : (
            <p className="text-muted text-sm">{describeStop(card)}</p>
          )}
        </div>
      </div>
      <div className="col-start-2 row-start-2 text-right xl:row-span-2 xl:row-start-1">
        <p className="text-muted text-xs">
          best {contract.metric.name}, {betterSide(contract.metric.goal)} is better
        </p>
        <p className="tabular font-semibold text-4xl leading-none tracking-tight" data-testid="best">
          {tally.best === null ? ABSENT : formatMetric(tally.best)}
        </p>
        <p className="tabular text-muted text-sm max-xl:max-w-64">
          {describeGain(card)}
          {tally.bestExperiment === null ? null : (
            <button
              type="button"
              className="ml-2 text-accent underline-offset-2 hover:underline"
              onClick={() => jumpTo(tally.bestExperiment ?? 0)}
            >
              {tally.bestExperiment === 0 ? '#0' : `in #${tally.bestExperiment}`}
            </button>
          )}
        </p>
      </div>
    </header>
  );
}

/** What may be claimed, and how much runs of the same code vary. */
function Claims({ claims }: { readonly claims: StudyClaims }) {
  const [first = '', ...rest] = describeClaims(claims);
  return (
    <p
      className="mt-0.5 line-clamp-2 text-sm [@media(height<900px)]:line-clamp-1"
      data-testid="claims"
      title={[first, ...rest].join('\n')}
    >
      <span className={claims.keeps.length === 0 ? 'text-muted' : 'font-medium'}>{first}</span>{' '}
      <span className="text-muted">{rest.join(' ')}</span>
    </p>
  );
}

/** The study's runs are not in a sandbox. */
function NotContained() {
  return (
    <span
      className="inline-flex items-center gap-1.5 whitespace-nowrap rounded-full bg-warn-soft px-2.5 py-1 font-medium text-sm text-warn"
      title="Its runs can do whatever you can. The marks in the notebook, and the checks when you set up a study, say why."
    >
      <ShieldOff size={14} aria-hidden /> Not contained
    </span>
  );
}

/** The study's cost so far, in total and per gain. */
function describeSpend({ spend, tally }: StudyCard): string {
  if (!spend) return '';
  if (spend.costUsd === null) return `${formatNumber(spend.outputTokens)} output tokens, no price known`;
  const gains = countTried(tally).keep;
  return `${formatUsd(spend.costUsd)}${gains > 0 ? `, ${formatUsd(spend.costUsd / gains)} per gain` : ''}`;
}

/** The energy of its GPUs so far, in total and per gain. */
function describeEnergy({ gpuEnergyWh: wh, tally }: StudyCard, electricity: Settings['electricity']): string {
  if (wh === null) return '';
  const told = (energy: number) =>
    [formatEnergy(energy), formatElectricity(energy, electricity)].filter(Boolean).join(' or ');
  const gains = countTried(tally).keep;
  return `${told(wh)} of GPU energy${gains > 0 ? `, ${told(wh / gains)} per gain` : ''}`;
}

function describeGain({ tally: { best, baseline, bestExperiment }, state, stopReason }: StudyCard): string {
  if (best === null || baseline === null) {
    if (state === 'imported') return 'nothing was kept';
    return stopReason === 'baseline_failed' ? 'the baseline failed' : 'no baseline yet';
  }
  if (bestExperiment === 0) {
    return state === 'imported' ? 'no gain over the first' : 'no gain yet over the baseline';
  }
  const share = baseline === 0 ? '' : `${formatPercent((best - baseline) / Math.abs(baseline), 2)} `;
  return `${share}from ${formatMetric(baseline)}`;
}

function Controls({ card }: { readonly card: StudyCard }) {
  const running = useRunning();
  const isOwn = card.state !== 'imported';
  const isOnline = useStore(state => state.connection.kind === 'online');
  const canContinue = card.state === 'paused' || Boolean(card.current?.wish);
  const isRunning = isActive(card);
  const wasRunning = useRef(isRunning);
  useEffect(() => {
    if (wasRunning.current === isRunning) return;
    wasRunning.current = isRunning;
    // The focused button may be gone, and the focus with it.
    if (document.activeElement === document.body) leaveControls();
  }, [isRunning]);
  return (
    <div className="flex shrink-0 items-center gap-1.5" role="group" aria-label="Controls">
      {isRunning ? (
        // The same button whatever its label, so that the focus stays on it.
        <CommandButton id={canContinue ? 'continue' : 'pause'} kind={canContinue ? 'primary' : 'plain'} />
      ) : null}
      {isRunning ? (
        <Menu
          trigger={
            <Button disabled={!isOnline}>
              <CircleStop size={15} aria-hidden /> Stop
            </Button>
          }
        >
          <CommandItem id="stop" />
          <CommandItem id="stopNow" />
        </Menu>
      ) : isOwn ? (
        <CommandButton
          id="resume"
          kind="primary"
          title={running ? `${running.tag} is ${running.isStarting ? 'starting' : running.state}` : undefined}
        />
      ) : null}
      {card.ideas.waiting > 0 && isOwn ? (
        <CommandButton
          id="queue"
          title={`${card.ideas.waiting === 1 ? 'An idea waits' : `${card.ideas.waiting} ideas wait`} in the queue (q)`}
        >
          <span className="tabular">Queue · {card.ideas.waiting}</span>
        </CommandButton>
      ) : null}
      {isOwn ? <CommandIconButton id="approval" aria-pressed={card.asksApproval} /> : null}
      {isOwn ? <CommandIconButton id="steer" /> : null}
      <Menu
        trigger={
          <button
            type="button"
            aria-label="More"
            className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
          >
            <MoreHorizontal size={16} aria-hidden />
          </button>
        }
      >
        <CommandItem id="best" />
        <CommandItem id="stack" />
        {isOwn ? <CommandItem id="audit" /> : null}
        {isOwn ? <CommandItem id="queue" /> : null}
        {isOwn ? <CommandItem id="proposers" /> : null}
        <CommandItem id="largeView" />
        <MenuLine />
        <CommandItem id="export" />
      </Menu>
    </div>
  );
}
