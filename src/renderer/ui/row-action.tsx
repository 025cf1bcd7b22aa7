import type { ReactNode } from 'react';

/** A small button in a row of a list that is arranged by keys: one stop of Tab where the row is pointed at. */
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
      // Kept in the order of Tab when it comes to nothing, so that the focus is not lost at the top.
      aria-disabled={isOff}
      tabIndex={isPointed ? 0 : -1}
      onClick={isOff ? undefined : onRun}
      className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink aria-disabled:cursor-default aria-disabled:opacity-40"
    >
      {icon}
    </button>
  );
}
