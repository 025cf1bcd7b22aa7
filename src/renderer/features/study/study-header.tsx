import {
  CircleStop,
  Download,
  GitBranchPlus,
  ListOrdered,
  MessageSquarePlus,
  MoreHorizontal,
  OctagonX,
  Pause,
  Play,
  Scale,
  ShieldOff,
  Trophy,
  UserCheck,
} from 'lucide-react';
import type { Settings, StudyCard } from '../../../shared/notebook.ts';
import { goTo, requestOf, revealCell, setApproval, showOverlay } from '../../app/actions.ts';
import { isActive, useRunning, useStore } from '../../app/store.ts';
import {
  ABSENT,
  formatElectricity,
  formatEnergy,
  formatMetric,
  formatNumber,
  formatPercent,
  formatUsd,
} from '../../format/numbers.ts';
import { describeStop } from '../../format/stop-reasons.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { StatePill } from '../../ui/state-pill.tsx';
import { NowRunning } from '../live/now-running.tsx';

/** What can be read from across the room: the best value, and what runs now. */
export function StudyHeader({ card }: { readonly card: StudyCard }) {
  const { tally, contract } = card;
  const others = tally.finished - tally.keep - tally.discard - tally.crash;
  const electricity = useStore(state => state.settings.electricity);
  const cost = [describeSpend(card), describeEnergy(card, electricity)].filter(Boolean).join(' · ');
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 px-6 pt-4 pb-3">
      <div className="min-w-72 flex-1">
        <div className="flex items-center gap-3">
          <h1 className="truncate font-semibold text-xl tracking-tight" title={card.repositoryPath}>
            {card.tag}
          </h1>
          <StatePill card={card} />
          {card.isContained === false ? <NotContained /> : null}
        </div>
        <p className="mt-0.5 truncate text-muted text-sm">
          {card.branch ?? `imported from ${card.importedFrom}`} · {tally.keep} kept, {tally.discard}{' '}
          discarded, {tally.crash} crashed
          {others === 0 ? '' : `, ${others} other`}
          {tally.keepRate === null ? '' : ` · keep rate ${formatPercent(tally.keepRate, 1)}`}
        </p>
        {cost === '' ? null : <p className="mt-0.5 text-muted text-sm">{cost}</p>}
        <div className="mt-2 min-h-6">
          {isActive(card) ? (
            <NowRunning card={card} />
          ) : (
            <p className="text-muted text-sm">{describeStop(card)}</p>
          )}
        </div>
      </div>
      <div className="shrink-0 text-right">
        <p className="text-muted text-xs">
          best {contract.metric.name}, {contract.metric.goal === 'minimize' ? 'lower' : 'higher'} is better
        </p>
        <p className="tabular font-semibold text-4xl tracking-tight" data-testid="best">
          {tally.best === null ? ABSENT : formatMetric(tally.best)}
        </p>
        <p className="tabular text-muted text-sm">
          {describeGain(card)}
          {tally.bestExperiment === null ? null : (
            <button
              type="button"
              className="ml-2 text-accent underline-offset-2 hover:underline"
              onClick={() => jumpTo(tally.bestExperiment ?? 0)}
            >
              in #{tally.bestExperiment}
            </button>
          )}
        </p>
      </div>
      <Controls card={card} />
    </header>
  );
}

/** No sandbox holds what the study runs. */
function NotContained() {
  return (
    <span
      className="inline-flex items-center gap-1.5 whitespace-nowrap rounded-full bg-warn-soft px-2.5 py-1 font-medium text-sm text-warn"
      title="Its runs can do whatever you can. The marks of the study and the checks of a new one say why."
    >
      <ShieldOff size={14} aria-hidden /> Not contained
    </span>
  );
}

/** What the study cost so far, and what each gain did. */
function describeSpend({ spend, tally }: StudyCard): string {
  if (!spend) return '';
  if (spend.costUsd === null) return `${formatNumber(spend.outputTokens)} tokens written, no price known`;
  const gains = tally.keep - 1;
  return `${formatUsd(spend.costUsd)}${gains > 0 ? `, ${formatUsd(spend.costUsd / gains)} a gain` : ''}`;
}

/** What its GPUs took so far, and what each gain did. */
function describeEnergy({ gpuEnergyWh: wh, tally }: StudyCard, electricity: Settings['electricity']): string {
  if (wh === null) return '';
  const told = (energy: number) =>
    [formatEnergy(energy), formatElectricity(energy, electricity)].filter(Boolean).join(' or ');
  const gains = tally.keep - 1;
  return `${told(wh)} of GPU power${gains > 0 ? `, ${told(wh / gains)} a gain` : ''}`;
}

function describeGain({ tally: { best, baseline, bestExperiment }, state }: StudyCard): string {
  if (best === null || baseline === null)
    return state === 'imported' ? 'nothing was kept' : 'no baseline yet';
  if (bestExperiment === 0) {
    return state === 'imported' ? 'nothing better than the first,' : 'nothing better yet than the baseline,';
  }
  const share = baseline === 0 ? '' : `${formatPercent((best - baseline) / Math.abs(baseline), 2)} `;
  return `${share}from ${formatMetric(baseline)}`;
}

function jumpTo(n: number): void {
  goTo({ name: 'study', tab: 'notebook' });
  revealCell(n);
}

function Controls({ card }: { readonly card: StudyCard }) {
  const running = useRunning();
  const isImported = card.state === 'imported';
  const isOnline = useStore(state => state.connection.kind === 'online');
  const wish = card.current?.wish ?? null;
  const canContinue = card.state === 'paused' || wish !== null;
  return (
    <div className="flex shrink-0 items-center gap-1.5" role="group" aria-label="Controls">
      {card.state === 'running' || card.state === 'paused' ? (
        // One button whatever it says, so that the focus stays on it.
        <Button
          kind={canContinue ? 'primary' : 'plain'}
          disabled={!isOnline}
          onClick={() => void requestOf(canContinue ? 'continue' : 'pause')}
        >
          {canContinue ? <Play size={15} aria-hidden /> : <Pause size={15} aria-hidden />}
          {card.state === 'paused' ? 'Continue' : wish === null ? 'Pause' : `Do not ${wish}`}
        </Button>
      ) : null}
      {isActive(card) ? (
        <Menu
          trigger={
            <Button disabled={!isOnline}>
              <CircleStop size={15} aria-hidden /> Stop
            </Button>
          }
        >
          <MenuItem icon={<CircleStop size={15} />} onSelect={() => void requestOf('stop')}>
            Stop after this experiment
          </MenuItem>
          <MenuItem icon={<OctagonX size={15} />} onSelect={() => showOverlay({ name: 'stop_now' })}>
            Stop now …
          </MenuItem>
        </Menu>
      ) : isImported ? null : (
        <Button
          kind="primary"
          disabled={running !== null || !isOnline}
          title={running ? `${running.tag} is ${running.state}` : undefined}
          onClick={() => showOverlay({ name: 'resume' })}
        >
          <Play size={15} aria-hidden /> Resume
        </Button>
      )}
      {card.ideas.waiting > 0 && !isImported ? (
        <Button
          title={`${card.ideas.waiting === 1 ? 'An idea waits' : `${card.ideas.waiting} ideas wait`} for a turn (q)`}
          onClick={() => showOverlay({ name: 'queue', again: null })}
        >
          <ListOrdered size={15} aria-hidden /> <span className="tabular">Queue · {card.ideas.waiting}</span>
        </Button>
      ) : null}
      {isImported ? null : (
        <IconButton
          label={
            card.asksApproval ? 'Proposals wait for your approval' : 'Proposals run without your approval'
          }
          aria-pressed={card.asksApproval}
          disabled={!isOnline}
          onClick={() => void setApproval(card, !card.asksApproval)}
        >
          <UserCheck size={16} aria-hidden />
        </IconButton>
      )}
      {isImported ? null : (
        <IconButton
          label="Steer"
          shortcut="s"
          disabled={!isOnline}
          onClick={() => showOverlay({ name: 'steer' })}
        >
          <MessageSquarePlus size={16} aria-hidden />
        </IconButton>
      )}
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
        <MenuItem
          icon={<Trophy size={15} />}
          disabled={card.tally.bestExperiment === null}
          onSelect={() => jumpTo(card.tally.bestExperiment ?? 0)}
        >
          Jump to the best
        </MenuItem>
        <MenuItem
          icon={<GitBranchPlus size={15} />}
          disabled={isImported || card.tally.best === null}
          onSelect={() => showOverlay({ name: 'apply' })}
        >
          Apply best to a branch …
        </MenuItem>
        {isImported ? null : (
          <MenuItem
            icon={<ListOrdered size={15} />}
            onSelect={() => showOverlay({ name: 'queue', again: null })}
          >
            Queue …
          </MenuItem>
        )}
        {isImported ? null : (
          <MenuItem icon={<Scale size={15} />} onSelect={() => showOverlay({ name: 'proposers' })}>
            Proposers …
          </MenuItem>
        )}
        <MenuLine />
        <MenuItem icon={<Download size={15} />} onSelect={() => showOverlay({ name: 'export' })}>
          Export …
        </MenuItem>
      </Menu>
    </div>
  );
}
