import { Archive, ArchiveRestore, Ellipsis, Pencil, Trash2 } from 'lucide-react';
import { useMemo } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import {
  ABSENT,
  formatBytes,
  formatEnergy,
  formatMetric,
  formatNumber,
  formatPercent,
  formatUsd,
} from '../../../shared/numbers.ts';
import { titleOf } from '../../../shared/overview.ts';
import { countTried } from '../../../shared/tried.ts';
import { attempt, openStudy } from '../../app/actions.ts';
import { isActive } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatePill } from '../../ui/state-pill.tsx';
import { gainOf, type OverviewRow, type Sort, sparklineOf } from './outline-lines.ts';

export type Asked = { readonly study: string; readonly what: 'rename' | 'delete' };

const SPARKLINE = { width: 120, height: 26 } as const;

type Heading = { readonly name: string; readonly sort?: Sort; readonly isNumber?: boolean };
const HEADINGS: readonly Heading[] = [
  { name: 'Study', sort: 'name' },
  { name: 'State' },
  { name: 'Best', isNumber: true },
  { name: 'Gain', sort: 'gain', isNumber: true },
  { name: 'Best so far' },
  { name: 'Claims' },
  { name: 'Tried', sort: 'tried', isNumber: true },
  { name: 'Cost', sort: 'cost', isNumber: true },
  { name: 'Disk', sort: 'disk', isNumber: true },
  { name: 'Last activity', sort: 'activity', isNumber: true },
];

type Props = {
  readonly rows: readonly OverviewRow[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  readonly chosen: readonly string[];
  readonly canChooseMore: boolean;
  readonly onChoose: (study: string, isChosen: boolean) => void;
  readonly onAsk: (asked: Asked) => void;
};

export function OverviewTable({ rows, sort, onSort, chosen, canChooseMore, onChoose, onAsk }: Props) {
  return (
    <div className="overflow-x-auto rounded-xl border border-line bg-surface">
      <table aria-label="Studies" className="w-full text-sm">
        <thead>
          <tr className="border-line border-b text-left text-muted text-xs">
            <th scope="col" className="py-2 pl-4">
              <span className="sr-only">Compare</span>
            </th>
            {HEADINGS.map(heading => (
              <HeadingCell key={heading.name} heading={heading} sort={sort} onSort={onSort} />
            ))}
            <th scope="col" className="sticky right-0 bg-surface py-2 pr-4">
              <span className="sr-only">More</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <StudyRow
              key={row.card.id}
              row={row}
              isChosen={chosen.includes(row.card.id)}
              canChoose={canChooseMore || chosen.includes(row.card.id)}
              onChoose={isChosen => onChoose(row.card.id, isChosen)}
              onAsk={onAsk}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HeadingCell({
  heading: { name, sort: own, isNumber },
  sort,
  onSort,
}: {
  readonly heading: Heading;
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
}) {
  const isSorted = own !== undefined && own === sort;
  return (
    <th
      scope="col"
      aria-sort={isSorted ? (own === 'name' ? 'ascending' : 'descending') : undefined}
      className={classNames('whitespace-nowrap px-3 py-2 font-medium', isNumber && 'text-right')}
    >
      {own ? (
        <button
          type="button"
          onClick={() => onSort(own)}
          className={classNames('rounded hover:text-ink', isSorted && 'text-ink')}
        >
          {name}
          {isSorted ? (own === 'name' ? ' ↑' : ' ↓') : ''}
        </button>
      ) : (
        name
      )}
    </th>
  );
}

function StudyRow({
  row,
  isChosen,
  canChoose,
  onChoose,
  onAsk,
}: {
  readonly row: OverviewRow;
  readonly isChosen: boolean;
  readonly canChoose: boolean;
  readonly onChoose: (isChosen: boolean) => void;
  readonly onAsk: (asked: Asked) => void;
}) {
  const { card, project, outline, bytes } = row;
  const { tally } = card;
  const { tried, keep } = countTried(tally);
  const gain = gainOf(card);
  const line = useMemo(() => outline && sparklineOf(outline, SPARKLINE.width / 2), [outline]);
  const number = 'tabular whitespace-nowrap px-3 py-2.5 text-right';
  return (
    <tr
      className={classNames(
        'border-line border-b bg-surface last:border-b-0 hover:bg-sunken',
        card.archivedAt !== null && 'text-muted',
      )}
    >
      <td className="py-2.5 pl-4">
        <input
          type="checkbox"
          aria-label={`Compare ${titleOf(card)}`}
          checked={isChosen}
          disabled={!canChoose || !outline?.best.length}
          onChange={event => onChoose(event.target.checked)}
          className="size-4 accent-accent"
        />
      </td>
      <th scope="row" className="max-w-48 2xl:max-w-72 px-3 py-2.5 text-left font-normal">
        <button
          type="button"
          onClick={() => openStudy(card.id)}
          className="block max-w-full truncate font-medium underline-offset-2 hover:underline"
        >
          {titleOf(card)}
        </button>
        <span className="block truncate text-muted text-xs" title={card.repositoryPath}>
          {project}
          {card.title === null ? '' : ` · ${card.tag}`}
          {card.archivedAt === null ? '' : ' · archived'}
        </span>
      </th>
      <td className="px-3 py-2.5">
        <StatePill card={card} isSmall />
      </td>
      <td className={number}>
        {tally.best === null ? ABSENT : formatMetric(tally.best)}
        <span className="block text-muted text-xs">{card.contract.metric.name}</span>
      </td>
      <td className={number}>{gain === null ? ABSENT : formatPercent(gain, 2)}</td>
      <td className="px-3 py-2.5">
        {line ? <Sparkline y={line} {...SPARKLINE} label={`Best so far of ${titleOf(card)}`} /> : null}
      </td>
      <td className="whitespace-nowrap px-3 py-2.5">{claimsOf(card)}</td>
      <td className={number}>
        {formatNumber(tried)}
        <span className="block text-muted text-xs">{formatNumber(keep)} kept</span>
      </td>
      <td className={number}>{costOf(card)}</td>
      <td className={number}>{bytes === null ? '…' : formatBytes(bytes)}</td>
      <td className={number}>
        <RelativeTime at={card.activeAt} />
      </td>
      <td className="sticky right-0 bg-inherit py-2.5 pr-3 pl-2 text-right">
        <Menu
          trigger={
            <IconButton label={`More for ${titleOf(card)}`}>
              <Ellipsis size={16} aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<Pencil size={14} />} onSelect={() => onAsk({ study: card.id, what: 'rename' })}>
            Rename …
          </MenuItem>
          <ArchiveItem card={card} />
          <MenuLine />
          <MenuItem
            icon={<Trash2 size={14} />}
            disabled={isActive(card)}
            onSelect={() => onAsk({ study: card.id, what: 'delete' })}
          >
            Delete …
          </MenuItem>
        </Menu>
      </td>
    </tr>
  );
}

function ArchiveItem({ card }: { readonly card: StudyCard }) {
  const isArchived = card.archivedAt !== null;
  return (
    <MenuItem
      icon={isArchived ? <ArchiveRestore size={14} /> : <Archive size={14} />}
      disabled={isActive(card)}
      onSelect={() =>
        void attempt(() => getClient().studies.archive({ study: card.id, isArchived: !isArchived }))
      }
    >
      {isArchived ? 'Take out of the archive' : 'Archive'}
    </MenuItem>
  );
}

function claimsOf({ claims }: StudyCard): string {
  if (!claims) return ABSENT;
  const { keeps } = claims;
  return keeps.length === 0
    ? 'no gain'
    : `${keeps.filter(({ isProven }) => isProven).length} of ${keeps.length} proven`;
}

function costOf({ spend, gpuEnergyWh }: StudyCard): string {
  if (spend && spend.costUsd !== null) return formatUsd(spend.costUsd);
  return gpuEnergyWh === null ? ABSENT : formatEnergy(gpuEnergyWh);
}
