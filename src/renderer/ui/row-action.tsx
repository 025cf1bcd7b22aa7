import type { ReactNode } from 'react';

/** A small button in a list row that is arranged by keys; a tab stop only if its row is the active one. */
export function RowAction({
  label,
  title,
  icon,
  isOff,
  isPointed,
  onRun,
}: {
  /** For screen readers. */
  readonly label: string;
  readonly title: string;
  readonly icon: ReactNode;
  readonly isOff: boolean;
  readonly isPointed: boolean;
  readonly onRun: () => void;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={title}
      // It stays a tab stop when disabled, so that the focus is not lost.
      aria-disabled={isOff}
      tabIndex={isPointed ? 0 : -1}
      onClick={isOff ? undefined : onRun}
      className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink aria-disabled:cursor-default aria-disabled:opacity-40"
    >
      {icon}
    </button>
  );
}
