import type { KeyboardEvent } from 'react';
import { classNames } from './class-names.ts';

/** Tabs as the ARIA practices want them: one stop for Tab, arrows between them, Home and End. */
export function TabList<Name extends string>({
  label,
  names,
  titles,
  chosen,
  panel,
  onChoose,
  isSmall,
}: {
  /** What the tabs are views of. */
  readonly label: string;
  readonly names: readonly Name[];
  readonly titles: Readonly<Record<Name, string>>;
  readonly chosen: Name;
  /** Id of the element that shows the chosen one; the tabs' own ids begin with it. */
  readonly panel: string;
  readonly onChoose: (name: Name) => void;
  readonly isSmall?: boolean;
}) {
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const at = names.indexOf(chosen);
    const wanted = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: names.length - 1 }[event.key];
    if (wanted === undefined) return;
    const next = names[(wanted + names.length) % names.length];
    if (next === undefined) return;
    event.preventDefault();
    onChoose(next);
    document.getElementById(tabId(panel, next))?.focus();
  };
  return (
    <div role="tablist" aria-label={label} className="flex" onKeyDown={move}>
      {names.map(name => (
        <button
          key={name}
          type="button"
          role="tab"
          id={tabId(panel, name)}
          aria-selected={chosen === name}
          aria-controls={panel}
          tabIndex={chosen === name ? 0 : -1}
          onClick={() => onChoose(name)}
          className={classNames(
            '-mb-px border-b-2 px-3 py-2 text-sm',
            isSmall ? '' : 'font-medium',
            chosen === name ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink',
          )}
        >
          {titles[name]}
        </button>
      ))}
    </div>
  );
}

/** Id of a tab, for the panel's `aria-labelledby`. */
export function tabId(panel: string, name: string): string {
  return `${panel}-${name}`;
}
