import type { LucideIcon } from 'lucide-react';
import type { MouseEvent, ReactNode } from 'react';
import { classNames } from '../ui/class-names.ts';

/** A small button in a viewer's toolbar. Without children it is only an icon, and `label` is its name and tooltip. */
export function ToolButton(props: {
  readonly label: string;
  readonly icon?: LucideIcon;
  readonly children?: ReactNode;
  readonly isPressed?: boolean;
  readonly isDisabled?: boolean;
  onPress(event: MouseEvent<HTMLButtonElement>): void;
}) {
  const { label, icon: Icon, children, isPressed, isDisabled = false, onPress } = props;
  return (
    <button
      type="button"
      {...(children === undefined ? { 'aria-label': label } : {})}
      title={label}
      aria-pressed={isPressed}
      disabled={isDisabled}
      onClick={onPress}
      className={classNames(
        'inline-flex h-6 shrink-0 items-center gap-1 rounded px-1.5 text-xs',
        isPressed === true
          ? 'bg-accent-soft text-ink'
          : 'text-muted enabled:hover:bg-sunken enabled:hover:text-ink',
        'disabled:opacity-50',
      )}
    >
      {Icon !== undefined && <Icon aria-hidden className="size-3.5" />}
      {children}
    </button>
  );
}
