import { ArrowDownToLine, ChevronsDown, ChevronsUp, LoaderCircle, WrapText } from 'lucide-react';
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react';
import type { LogPiece } from '../../shared/notebook.ts';
import { formatBytes } from '../../shared/numbers.ts';
import { cutRow, describeSearch, type LogRow, locateHit, offsetOfRow, splitByWords } from './log-lines.ts';
import type { LogViewProps } from './log-view-props.ts';
import { SearchBox } from './search-box.tsx';
import { ToolButton } from './tool-button.tsx';
import { useLogPosition } from './use-log-position.ts';
import { useLogSearch } from './use-log-search.ts';

/** The text log of a run. Only visible rows are in the document. */
export function LogView(props: LogViewProps) {
  const { pieces, isComplete, size, isLoading, hits, error, label = 'Log' } = props;
  const [wraps, setWraps] = useState(true);
  const position = useLogPosition(props, wraps);
  const { rows, virtualizer, scroller, first, last, holdsEnd, isFollowing, jumpToEnd } = position;
  const { words, setWords, current, step, end } = useLogSearch(props, {
    onHit: position.showHit,
    getOffset: () => offsetOfRow(pieces, position.topRow()),
  });
  const input = useRef<HTMLInputElement>(null);

  const currentRow = useMemo(
    () => (current !== null && hits?.kind === 'found' ? locateHit(pieces, hits, current) : null),
    [pieces, hits, current],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another row is another mark
  useEffect(() => {
    if (currentRow === null) return;
    // In a long unwrapped line, the words may be out of view on the right.
    const frame = requestAnimationFrame(() => {
      const mark = scroller.current?.querySelector('.log-row[data-current] mark');
      mark?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    });
    return () => cancelAnimationFrame(frame);
  }, [currentRow]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'f') return;
    event.preventDefault();
    event.stopPropagation();
    input.current?.select();
  };

  const widest = useMemo(() => rows.reduce((most, row) => Math.max(most, widthOf(row.text)), 0), [rows]);
  const items = virtualizer.getVirtualItems();
  const isEmpty = rows.length === 0;
  return (
    <section
      aria-label={label}
      onKeyDown={onKeyDown}
      className="log-view flex h-full min-h-0 flex-col bg-surface"
    >
      <div className="flex flex-wrap items-center gap-1 border-b border-line px-2 py-1">
        <SearchBox
          label={`Search in ${label}`}
          words={words}
          status={describeSearch(hits?.words === words ? hits : null, current)}
          canStep={hits?.kind === 'found' && hits.hits.length > 0}
          inputRef={input}
          onWords={setWords}
          onStep={step}
          onClose={() => (words === '' ? scroller.current?.focus() : end())}
        />
        <div className="ml-auto flex items-center gap-1">
          {!isComplete && (
            <ToolButton
              label="Follow the newest line"
              icon={ArrowDownToLine}
              isPressed={isFollowing}
              onPress={() => (isFollowing ? position.follow(false) : jumpToEnd())}
            >
              Follow
            </ToolButton>
          )}
          <ToolButton
            label="Wrap long lines"
            icon={WrapText}
            isPressed={wraps}
            onPress={() => setWraps(!wraps)}
          >
            Wrap
          </ToolButton>
        </div>
      </div>
      {error !== null && (
        <p role="alert" className="border-b border-line bg-crash-soft px-3 py-1.5 text-xs text-crash">
          {error}
        </p>
      )}
      <div className="relative min-h-0 flex-1">
        {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus */}
        <section
          ref={scroller}
          aria-label={`${label}, text`}
          tabIndex={0}
          {...position.handlers}
          data-wraps={wraps}
          className="log-scroller viewer-code h-full overflow-auto focus-visible:-outline-offset-2"
        >
          {isEmpty ? (
            <p className="p-3 font-sans text-sm text-muted">{emptyText(props)}</p>
          ) : (
            <div
              style={{
                height: virtualizer.getTotalSize(),
                ...(wraps ? {} : { minWidth: `calc(${widest}ch + 24px)` }),
              }}
            >
              <div style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
                {items.map(item => {
                  const row = rows[item.index];
                  return (
                    row !== undefined && (
                      <div
                        key={row.key}
                        ref={virtualizer.measureElement}
                        data-index={item.index}
                        data-current={item.index === currentRow ? '' : undefined}
                        className="log-row"
                      >
                        <RowText row={row} words={hits?.words === words ? words : ''} />
                      </div>
                    )
                  );
                })}
              </div>
            </div>
          )}
        </section>
        {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus */}
        {!isEmpty && !(position.isAtEnd && holdsEnd) && (
          <button
            type="button"
            onClick={jumpToEnd}
            className="absolute right-4 bottom-3 flex items-center gap-1 rounded-full border border-line-strong bg-surface px-3 py-1 text-xs text-ink shadow-float hover:bg-sunken"
          >
            <ArrowDownToLine aria-hidden className="size-3.5" />
            Jump to end
          </button>
        )}
      </div>
      <div className="flex min-h-7 items-center gap-1 border-t border-line px-2 py-0.5 text-xs text-muted tabular">
        <span>
          {first === undefined || last === undefined ? formatBytes(size) : rangeText(first, last, size)}
        </span>
        {isLoading && !isFollowing && (
          <span role="status" className="flex items-center gap-1">
            <LoaderCircle aria-hidden className="size-3.5 animate-spin" />
            Loading …
          </span>
        )}
        <span className="ml-auto flex items-center gap-1">
          {first !== undefined && first.from > 0 && (
            <ToolButton
              label="Load earlier lines"
              icon={ChevronsUp}
              isDisabled={isLoading}
              onPress={position.goEarlier}
            >
              Earlier
            </ToolButton>
          )}
          {!holdsEnd && (
            <ToolButton
              label="Load later lines"
              icon={ChevronsDown}
              isDisabled={isLoading}
              onPress={position.goLater}
            >
              Later
            </ToolButton>
          )}
        </span>
      </div>
    </section>
  );
}

const RowText = memo(function RowText({ row, words }: { readonly row: LogRow; readonly words: string }) {
  // A block without text could not be selected and copied.
  if (row.text === '') return <br />;
  const { shown, left } = cutRow(row.text);
  return (
    <>
      {splitByWords(shown, words).map(part =>
        part.isMatch ? <mark key={part.start}>{part.text}</mark> : part.text,
      )}
      {left > 0 && (
        <span className="text-muted select-none"> … {left.toLocaleString('en')} more characters</span>
      )}
    </>
  );
});

function emptyText({ isLoading, isComplete, error, size }: LogViewProps): string {
  if (isLoading) return 'Loading …';
  if (error !== null) return 'There is nothing to show.';
  if (size > 0) return 'Nothing is loaded.';
  return isComplete ? 'Nothing was printed.' : 'Nothing was printed yet.';
}

function rangeText(first: LogPiece, last: LogPiece, size: number): string {
  const total = Math.max(size, last.to);
  const held = formatBytes(last.to - first.from);
  if (first.from === 0 && last.to >= total) return formatBytes(total);
  if (first.from === 0) return `First ${held} of ${formatBytes(total)}`;
  if (last.to >= total) return `Last ${held} of ${formatBytes(total)}`;
  return `${held} after the first ${formatBytes(first.from)} of ${formatBytes(total)}`;
}

/** How many columns a row may take: non-ASCII characters may be two wide, a tab up to four. */
function widthOf(text: string): number {
  let columns = 0;
  const length = Math.min(text.length, 10_040);
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at);
    columns += unit === 9 ? 4 : unit > 0x2e7f ? 2 : 1;
  }
  return columns;
}
