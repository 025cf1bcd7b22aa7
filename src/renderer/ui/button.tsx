import type { ComponentProps, ReactNode } from 'react';
import { classNames } from './class-names.ts';
import { Tooltip } from './tooltip.tsx';

type Kind = 'plain' | 'primary' | 'quiet' | 'danger';

const KINDS: Readonly<Record<Kind, string>> = {
  plain: 'border border-line bg-surface text-ink hover:bg-sunken',
  primary: 'border border-accent bg-accent text-accent-ink hover:brightness-110',
  quiet: 'border border-transparent text-muted hover:bg-sunken hover:text-ink',
  danger: 'border border-crash bg-surface text-crash hover:bg-crash-soft',
};

type ButtonProps = ComponentProps<'button'> & {
  readonly kind?: Kind;
  readonly size?: 'small' | 'normal' | 'large';
};

const SIZES = {
  small: 'h-7 gap-1.5 px-2 text-xs',
  normal: 'h-8 gap-2 px-3 text-sm',
  large: 'h-10 gap-2 px-4 text-base',
} as const;

export function Button({ kind = 'plain', size = 'normal', className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classNames(
        'inline-flex shrink-0 items-center justify-center whitespace-nowrap rounded-md font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-50',
        KINDS[kind],
        SIZES[size],
        className,
      )}
    />
  );
}

/** A button with only an icon: its label is its accessible name and its tooltip. */
export function IconButton({
  label,
  shortcut,
  children,
  className,
  ...rest
}: Omit<ButtonProps, 'kind' | 'size'> & {
  readonly label: string;
  readonly shortcut?: string;
  readonly children: ReactNode;
}) {
  return (
    <Tooltip text={shortcut ? `${label} (${shortcut})` : label}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        className={classNames(
          'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-sunken hover:text-ink disabled:cursor-not-allowed disabled:opacity-50 aria-pressed:bg-accent-soft aria-pressed:text-accent',
          className,
        )}
      >
        {children}
      </button>
    </Tooltip>
  );
}
