import { ArrowDownToLine } from 'lucide-react';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { counted } from '../../shared/numbers.ts';
import { type OpenTerminal, openTerminal } from './open-terminal.ts';
import { SearchBox } from './search-box.tsx';
import { feedScreen } from './terminal-feed.ts';
import { readHitColours } from './terminal-theme.ts';

export type TerminalViewProps = {
  /**
   * Starts the output and returns a function that ends it. `skipped` is the number of bytes left out before these.
   * Another function means another output and empties the screen, so keep it the same for a run.
   */
  readonly subscribe: (onData: (bytes: Uint8Array, skipped: number) => void) => () => void;
  /** Whether the run may still print. */
  readonly isLive: boolean;
  /** Accessible name. */
  readonly label: string;
};

/** The output of a run as a terminal shows it. Nothing can be typed; Tab and Escape leave it. */
export function TerminalView({ subscribe, isLive, label }: TerminalViewProps) {
  const [words, setWords] = useState<string | null>(null);
  const [found, setFound] = useState({ index: -1, count: 0 });
  const [hasOutput, setHasOutput] = useState(false);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const box = useRef<HTMLElement>(null);
  const parent = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const opened = useRef<OpenTerminal>(null);
  const hintId = useId();

  useEffect(() => {
    if (parent.current === null) return;
    const open = openTerminal(parent.current, () => findAgain.current());
    const { terminal, search } = open;
    opened.current = open;
    setHasOutput(false);
    setIsAtEnd(true);

    terminal.attachCustomKeyEventHandler(event => {
      if (event.type === 'keydown') onKey(event);
      // No program receives keys, so none is swallowed: Tab moves on, Ctrl+C copies.
      return false;
    });
    const moves: Readonly<Record<string, () => void>> = {
      ArrowUp: () => terminal.scrollLines(-1),
      ArrowDown: () => terminal.scrollLines(1),
      PageUp: () => terminal.scrollPages(-1),
      PageDown: () => terminal.scrollPages(1),
      Home: () => terminal.scrollToTop(),
      End: () => terminal.scrollToBottom(),
    };
    const onKey = (event: KeyboardEvent) => {
      const isCommand = event.ctrlKey || event.metaKey;
      const move = isCommand || event.altKey ? undefined : moves[event.key];
      if (move !== undefined) {
        event.preventDefault();
        move();
      } else if (isCommand && event.key.toLowerCase() === 'a') {
        event.preventDefault();
        terminal.selectAll();
      } else if (event.key === 'Escape') terminal.blur();
    };

    const seeEnd = () => {
      const { viewportY, baseY } = terminal.buffer.active;
      setIsAtEnd(viewportY >= baseY);
    };
    terminal.onScroll(seeEnd);
    terminal.onRender(seeEnd);
    search.onDidChangeResults(({ resultIndex, resultCount }) =>
      setFound({ index: resultIndex, count: resultCount }),
    );

    const feed = feedScreen(terminal);
    const unsubscribe = subscribe((bytes, skipped) => {
      if (opened.current !== open) return;
      setHasOutput(true);
      feed(bytes, skipped);
    });
    return () => {
      opened.current = null;
      unsubscribe();
      open.dispose();
    };
  }, [subscribe]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another output has another text area
  useEffect(() => {
    const textarea = parent.current?.querySelector('textarea');
    textarea?.setAttribute('aria-label', label);
    textarea?.setAttribute('aria-describedby', hintId);
  }, [label, hintId, subscribe]);

  const find = (next: string, step: 1 | -1, isIncremental: boolean) => {
    const search = opened.current?.search;
    if (search === undefined) return;
    if (next === '') {
      search.clearDecorations();
      setFound({ index: -1, count: 0 });
      return;
    }
    const options = { decorations: readHitColours(document.documentElement) };
    if (step === 1) search.findNext(next, { ...options, incremental: isIncremental });
    else search.findPrevious(next, options);
  };
  // Marks on the screen keep the colours they were created with.
  const findAgain = useRef(() => {});
  useLayoutEffect(() => {
    findAgain.current = () => {
      opened.current?.search.clearDecorations();
      if (words !== null) find(words, 1, true);
    };
  });
  const closeSearch = () => {
    find('', 1, false);
    setWords(null);
    opened.current?.terminal.focus();
  };

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Before the terminal handles it, and only here: elsewhere the shortcut belongs to the page.
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== 'f') return;
      event.preventDefault();
      event.stopPropagation();
      // The next letter must not come before the field is there.
      flushSync(() => setWords(before => before ?? ''));
      input.current?.focus();
      input.current?.select();
    };
    element.addEventListener('keydown', onKeyDown, true);
    return () => element.removeEventListener('keydown', onKeyDown, true);
  }, []);

  return (
    <section ref={box} aria-label={label} className="terminal-view relative h-full min-h-0 bg-sunken">
      <p id={hintId} className="sr-only">
        Read only. Arrow keys and Page Up and Down scroll, Control+F searches, Tab or Escape leaves.
      </p>
      <div className="absolute inset-0 p-2">
        <div ref={parent} className="h-full overflow-x-auto overflow-y-hidden" />
      </div>
      {!hasOutput && (
        <p className="pointer-events-none absolute inset-x-0 top-0 p-3 text-sm text-muted">
          {isLive ? 'Waiting for output …' : 'Nothing was printed.'}
        </p>
      )}
      {words !== null && (
        <div className="absolute top-2 right-4 z-10 max-w-[calc(100%-2rem)] rounded-md border border-line bg-surface p-1 shadow-float">
          <SearchBox
            label={`Search in ${label}`}
            words={words}
            status={describeFound(words, found)}
            canStep={found.count > 0}
            inputRef={input}
            onWords={next => {
              setWords(next);
              find(next, 1, true);
            }}
            onStep={step => find(words, step, false)}
            onClose={closeSearch}
          />
        </div>
      )}
      {!isAtEnd && (
        <button
          type="button"
          onClick={() => opened.current?.terminal.scrollToBottom()}
          className="absolute right-4 bottom-3 z-10 flex items-center gap-1 rounded-full border border-line-strong bg-surface px-3 py-1 text-xs text-ink shadow-float hover:bg-sunken"
        >
          <ArrowDownToLine aria-hidden className="size-3.5" />
          Jump to end
        </button>
      )}
    </section>
  );
}

function describeFound(words: string, found: { readonly index: number; readonly count: number }): string {
  if (words === '') return '';
  if (found.count === 0) return 'No hits';
  return found.index < 0 ? counted(found.count, 'hit') : `${found.index + 1} of ${found.count}`;
}
