import { ArrowDownWideNarrow, ArrowUpNarrowWide, Search, X } from 'lucide-react';
import { useMemo } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatNumber } from '../../../shared/numbers.ts';
import { countTried } from '../../../shared/tried.ts';
import { setFilter } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { NO_FILTER, useStore } from '../../app/store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { leaveField } from '../../ui/return-focus.ts';
import { Select } from '../../ui/select.tsx';
import { VerdictBadge } from '../../ui/verdict-badge.tsx';

const WORDS = ['keep', 'discard', 'crash', 'other'] as const;

/** Which cells are listed, and in which order. */
export function FilterBar({ card, shown }: { readonly card: StudyCard; readonly shown: number }) {
  const filter = useStore(state => state.view.filter);
  const order = useStore(state => state.settings.order);
  const cells = useStore(state => state.notebook?.cells);
  const categories = useMemo(
    () => [...new Set((cells ?? []).flatMap(cell => (cell?.category ? [cell.category] : [])))].sort(),
    [cells],
  );
  const isFiltered = filter.verdicts.length > 0 || filter.category !== null || filter.text !== '';
  const counts = countTried(card.tally);
  return (
    <div
      className="@container flex items-center gap-1.5 border-line border-b px-4 py-1"
      role="search"
      aria-label="Experiments"
    >
      <div className="relative min-w-20 max-w-72 flex-1">
        <Search size={14} aria-hidden className="-translate-y-1/2 absolute top-1/2 left-2.5 text-faint" />
        <input
          id="notebook-search"
          type="search"
          aria-label="Search hypotheses, rationales, notes and crashes"
          placeholder="Search  /"
          value={filter.text}
          onChange={event => setFilter({ text: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              setFilter({ text: '' });
              leaveField(event.currentTarget);
            }
          }}
          className="h-8 w-full rounded-md border border-line-strong bg-surface pr-2 pl-8 text-sm placeholder:text-faint"
        />
      </div>
      <div className="flex gap-1" role="group" aria-label="Verdicts">
        {WORDS.filter(word => word !== 'other' || counts.other > 0).map(word => {
          const isOn = filter.verdicts.includes(word);
          return (
            <button
              key={word}
              type="button"
              aria-pressed={isOn}
              onClick={() =>
                setFilter({
                  verdicts: isOn
                    ? filter.verdicts.filter(other => other !== word)
                    : [...filter.verdicts, word],
                })
              }
              className={classNames(
                'inline-flex h-8 items-center gap-1.5 rounded-md border px-2',
                isOn ? 'border-accent bg-accent-soft' : 'border-line bg-surface hover:bg-sunken',
              )}
            >
              <span className="flex overflow-hidden whitespace-nowrap @max-2xl:w-4">
                <VerdictBadge word={word} />
              </span>
              <span className="tabular text-muted text-xs">{formatNumber(counts[word])}</span>
            </button>
          );
        })}
      </div>
      {categories.length > 1 ? (
        <Select
          aria-label="Category"
          value={filter.category ?? ''}
          options={[
            { value: '', label: 'Category' },
            ...categories.map(category => ({ value: category, label: category })),
          ]}
          onChange={category => setFilter({ category: category || null })}
          className="h-8 max-w-32 px-2 text-sm"
        />
      ) : null}
      <span className="tabular ml-auto whitespace-nowrap text-muted text-xs" aria-live="polite">
        {formatNumber(shown)} of {formatNumber(card.cells)}
      </span>
      {isFiltered ? (
        <Button size="small" kind="quiet" onClick={() => setFilter(NO_FILTER)}>
          <X size={13} aria-hidden /> <span className="@max-2xl:sr-only">Clear</span>
        </Button>
      ) : null}
      <IconButton
        label={order === 'newest' ? 'Newest first; show oldest first' : 'Oldest first; show newest first'}
        onClick={() => void saveSettings({ order: order === 'newest' ? 'oldest' : 'newest' })}
      >
        {order === 'newest' ? (
          <ArrowDownWideNarrow size={16} aria-hidden />
        ) : (
          <ArrowUpNarrowWide size={16} aria-hidden />
        )}
      </IconButton>
    </div>
  );
}
