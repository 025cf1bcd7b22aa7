// biome-ignore-all lint/a11y/useFocusableInteractive: the field keeps the focus, and says which option is the active one
import { Filter, X } from 'lucide-react';
import { type KeyboardEvent, useId, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { classNames } from '../../ui/class-names.ts';
import { leaveField } from '../../ui/return-focus.ts';
import type { FilterProblem } from './filter-language.ts';
import { type Suggestion, suggest } from './filter-suggestions.ts';
import type { Column, Row } from './table-columns.ts';

/** More different words than this are not offered as choices. */
const MOST_VALUES = 40;

/** The filter of a table, with suggestions for what to type next. */
export function FilterInput({
  text,
  onChange,
  columns,
  rows,
  problem,
}: {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly problem: FilterProblem | null;
}) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(-1);
  const suggestions = useMemo(
    () => (caret === null ? [] : suggest(text, caret, columns, column => valuesOf(column, rows))),
    [text, caret, columns, rows],
  );
  const isOpen = suggestions.length > 0;
  const follow = () => {
    setCaret(input.current?.selectionStart ?? null);
    setChosen(-1);
  };
  const close = () => setCaret(null);
  const take = ({ text: written, from, to }: Suggestion) => {
    const next = `${text.slice(0, from)}${written} ${text.slice(to).trimStart()}`;
    // At once: what is typed next must not come before the caret has moved.
    flushSync(() => onChange(next));
    const at = from + written.length + 1;
    input.current?.focus();
    input.current?.setSelectionRange(at, at);
    follow();
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && !isOpen) follow();
    else if (step !== 0) setChosen(before => wrap(before + step, suggestions.length));
    else if ((event.key === 'Enter' || event.key === 'Tab') && isOpen && suggestions[chosen]) {
      take(suggestions[chosen]);
    } else if (event.key === 'Enter') close();
    else if (event.key === 'Escape' && isOpen) close();
    else if (event.key === 'Escape' && input.current) leaveField(input.current);
    else return;
    event.preventDefault();
  };
  return (
    <div className="relative min-w-40 flex-1">
      <Filter size={14} aria-hidden className="-translate-y-1/2 absolute top-1/2 left-2.5 text-faint" />
      <input
        ref={input}
        id="table-filter"
        type="text"
        role="combobox"
        spellCheck={false}
        autoComplete="off"
        aria-label="Filter experiments"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && chosen >= 0 ? `${id}-${chosen}` : undefined}
        aria-invalid={problem !== null}
        aria-describedby={problem ? `${id}-problem` : undefined}
        placeholder="Filter: verdict = keep and …   /"
        value={text}
        onChange={event => {
          onChange(event.target.value);
          setCaret(event.target.selectionStart);
          setChosen(-1);
        }}
        onFocus={follow}
        onClick={follow}
        onBlur={close}
        onKeyUp={event => (event.key === 'ArrowLeft' || event.key === 'ArrowRight') && follow()}
        onKeyDown={press}
        className="h-8 w-full rounded-md border border-line-strong bg-surface pr-8 pl-8 font-mono text-xs placeholder:font-sans placeholder:text-faint placeholder:text-sm aria-invalid:border-crash"
      />
      {text === '' ? null : (
        <button
          type="button"
          aria-label="Clear the filter"
          onClick={() => onChange('')}
          className="absolute inset-y-0 right-0 flex w-8 items-center justify-center text-muted hover:text-ink"
        >
          <X size={14} aria-hidden />
        </button>
      )}
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="What may be written here"
        hidden={!isOpen}
        className="absolute top-9 left-0 z-40 w-96 max-w-full overflow-hidden rounded-lg border border-line bg-surface p-1 text-sm shadow-float"
      >
        {suggestions.map((suggestion, place) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys, and keeps the focus
          <div
            key={suggestion.text}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === chosen}
            onMouseDown={event => event.preventDefault()}
            onClick={() => take(suggestion)}
            className={classNames(
              'flex cursor-pointer items-baseline gap-3 rounded-md px-2 py-1',
              place === chosen ? 'bg-accent-soft' : 'hover:bg-sunken',
            )}
          >
            <span className="shrink-0 font-mono text-xs">{suggestion.text}</span>
            <span className="truncate text-muted text-xs">{suggestion.detail}</span>
          </div>
        ))}
      </div>
      {problem ? (
        <p
          id={`${id}-problem`}
          role="status"
          className={classNames(
            'absolute left-0 z-30 max-w-full rounded-md border border-crash bg-surface px-2 py-1 text-crash text-xs shadow-float',
            isOpen ? 'bottom-9' : 'top-9',
          )}
        >
          {problem.message}
        </p>
      ) : null}
    </div>
  );
}

function wrap(place: number, count: number): number {
  return (place + count) % count;
}

/** Its words, most frequent first. */
function valuesOf(column: Column, rows: readonly Row[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = column.value(row);
    if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    if (counts.size > MOST_VALUES) return [];
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
}
