import { ChevronDown, ChevronUp, Search, X } from 'lucide-react';
import type { KeyboardEvent, RefObject } from 'react';
import { ToolButton } from './tool-button.tsx';

/** A field for words to find, the number of hits, and ways to move between them (Enter, Shift+Enter). */
export function SearchBox(props: {
  readonly label: string;
  readonly words: string;
  readonly status: string;
  readonly canStep: boolean;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  onWords(words: string): void;
  onStep(step: 1 | -1): void;
  /** Called for Escape and for the close button. */
  onClose(): void;
}) {
  const { label, words, status, canStep, inputRef, onWords, onStep, onClose } = props;
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    // Enter that ends an input composition chooses a word, not a hit.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      onStep(event.shiftKey ? -1 : 1);
    }
    if (event.key === 'Escape') {
      // Otherwise a dialog around the viewer would close.
      event.stopPropagation();
      event.preventDefault();
      onClose();
    }
  };
  return (
    <search className="flex min-w-0 items-center gap-0.5">
      <label className="flex h-6 min-w-0 items-center gap-1 rounded border border-line-strong bg-surface px-1.5 focus-within:outline-2 focus-within:outline-accent">
        <Search aria-hidden className="size-3.5 shrink-0 text-muted" />
        <input
          ref={inputRef}
          type="text"
          value={words}
          onChange={event => onWords(event.target.value)}
          onKeyDown={onKeyDown}
          aria-label={label}
          placeholder="Search"
          spellCheck={false}
          autoComplete="off"
          maxLength={200}
          className="w-36 min-w-0 bg-transparent text-xs text-ink outline-none placeholder:text-faint"
        />
      </label>
      <span role="status" className="min-w-0 truncate px-1 text-xs text-muted tabular">
        {status}
      </span>
      <ToolButton
        label="Previous hit (Shift+Enter)"
        icon={ChevronUp}
        isDisabled={!canStep}
        onPress={() => onStep(-1)}
      />
      <ToolButton
        label="Next hit (Enter)"
        icon={ChevronDown}
        isDisabled={!canStep}
        onPress={() => onStep(1)}
      />
      {words !== '' && <ToolButton label="Clear the search (Escape)" icon={X} onPress={onClose} />}
    </search>
  );
}
