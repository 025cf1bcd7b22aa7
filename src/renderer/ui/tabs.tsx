import { Tabs as Radix } from 'radix-ui';
import type { FocusEvent, ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** Contains a list of tabs and their panels. */
export function Tabs<Name extends string>({
  names,
  chosen,
  onChoose,
  className,
  children,
}: {
  readonly names: readonly Name[];
  readonly chosen: Name;
  readonly onChoose: (name: Name) => void;
  readonly className?: string;
  /** A `TabList`, and a `TabPanel` for each name. */
  readonly children: ReactNode;
}) {
  const choose = (wanted: string) => {
    const name = names.find(other => other === wanted);
    if (name !== undefined) onChoose(name);
  };
  return (
    <Radix.Root value={chosen} onValueChange={choose} className={className}>
      {children}
    </Radix.Root>
  );
}

export function TabList<Name extends string>({
  label,
  names,
  titles,
  isSmall,
}: {
  /** What the tabs belong to. */
  readonly label: string;
  readonly names: readonly Name[];
  readonly titles: Readonly<Record<Name, string>>;
  readonly isSmall?: boolean;
}) {
  return (
    <Radix.List aria-label={label} className="flex">
      {names.map(name => (
        <Radix.Trigger
          key={name}
          value={name}
          onFocus={chooseByArrowsOnly}
          className={classNames(
            '-outline-offset-2 -mb-px border-transparent border-b-2 px-3 py-2 text-muted text-sm hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink',
            isSmall ? '' : 'font-medium',
          )}
        >
          {titles[name]}
        </Radix.Trigger>
      ))}
    </Radix.List>
  );
}

/** A tab's content. `isKept` leaves it in the page while another tab is shown. */
export function TabPanel({
  name,
  isKept,
  className,
  children,
}: {
  readonly name: string;
  readonly isKept?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  return (
    <Radix.Content
      value={name}
      {...(isKept ? { forceMount: true } : {})}
      // Its content can be reached with Tab, so the panel itself is no tab stop.
      tabIndex={undefined}
      className={classNames(className, isKept && 'data-[state=inactive]:hidden')}
    >
      {children}
    </Radix.Content>
  );
}

/** A tab that gets the focus back, from a dialog or with the window, is not chosen by that: a key may have left it. */
function chooseByArrowsOnly(event: FocusEvent<HTMLElement>): void {
  const from = event.relatedTarget?.closest('[role="tablist"]');
  if (from !== event.currentTarget.closest('[role="tablist"]')) event.preventDefault();
}
