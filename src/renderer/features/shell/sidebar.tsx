import { useMemo } from 'react';
import type { Project, StudyCard } from '../../../shared/notebook.ts';
import { formatMetric, formatNumber } from '../../../shared/numbers.ts';
import { titleOf } from '../../../shared/overview.ts';
import { countTried } from '../../../shared/tried.ts';
import { goTo, leaveSidebar, openStudy } from '../../app/actions.ts';
import { CommandButton, CommandIconButton } from '../../app/command-button.tsx';
import { useStore } from '../../app/store.ts';
import { useTheme } from '../../app/use-theme.ts';
import { classNames } from '../../ui/class-names.ts';
import { PawlMark } from '../../ui/pawl-mark.tsx';
import { StatePill } from '../../ui/state-pill.tsx';

/** Projects with their studies, and the app's own buttons; when folded, a strip with only the latter. */
export function Sidebar() {
  const isFolded = useStore(state => state.isSidebarFolded);
  const isNarrow = useStore(state => state.isNarrow);
  const theme = useTheme();
  return (
    <>
      {isNarrow && !isFolded ? <div className="w-12 shrink-0" /> : null}
      <nav
        aria-label="Projects and studies"
        className={classNames(
          'flex shrink-0 flex-col border-line border-r bg-sunken',
          isFolded ? 'w-12' : 'w-56',
          isNarrow && !isFolded && 'absolute inset-y-0 left-0 z-30 shadow-float',
        )}
      >
        {/* The same elements when folded, so that the focus stays. */}
        <div
          className={classNames(
            'flex items-center',
            isFolded ? 'flex-col gap-1 pt-2' : 'justify-between px-3 pt-3 pb-2',
          )}
        >
          <button
            type="button"
            aria-label="Pawl"
            onClick={() => {
              goTo({ name: 'welcome' });
              leaveSidebar();
            }}
            className="flex items-center gap-2 rounded-md px-1 py-1 font-semibold text-base tracking-tight"
          >
            <PawlMark className="size-6 text-accent" />
            {isFolded ? null : 'Pawl'}
          </button>
          <CommandIconButton id="sidebar" />
        </div>
        {isFolded ? (
          <div className="flex flex-1 flex-col items-center pt-1">
            <CommandIconButton id="open" />
            <CommandIconButton id="overview" />
          </div>
        ) : (
          <Studies />
        )}
        <div
          className={classNames(
            'flex items-center border-line border-t py-1.5',
            isFolded ? 'flex-col' : 'justify-between px-2',
          )}
        >
          <CommandIconButton id="palette" />
          <CommandIconButton id={theme === 'dark' ? 'light' : 'dark'} />
          <CommandIconButton id="shortcuts" />
          <CommandIconButton id="settings" />
        </div>
      </nav>
    </>
  );
}

function Studies() {
  const projects = useStore(state => state.projects);
  const all = useStore(state => state.studies);
  // Archived studies are shown only in the overview.
  const studies = useMemo(() => all.filter(({ archivedAt }) => archivedAt === null), [all]);
  return (
    <>
      <div className="px-3 pb-2">
        <CommandButton id="open" className="w-full" />
        <CommandButton id="overview" kind="quiet" className="mt-1 w-full" />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {groupStudies(projects, studies).map(group => (
          <section key={group.key} aria-label={group.name} className="mt-2">
            <h2 className="truncate px-2 py-1 font-medium text-muted text-xs" title={group.path}>
              {group.name}
            </h2>
            <ul>
              {group.studies.map(card => (
                <StudyEntry key={card.id} card={card} />
              ))}
            </ul>
            {group.studies.length === 0 ? (
              <button
                type="button"
                className="w-full rounded-md px-2 py-1 text-left text-muted text-sm hover:bg-surface"
                onClick={() => {
                  goTo({ name: 'set_up', path: group.path });
                  leaveSidebar();
                }}
              >
                Set up a study …
              </button>
            ) : null}
          </section>
        ))}
      </div>
    </>
  );
}

function StudyEntry({ card }: { readonly card: StudyCard }) {
  const isOpen = useStore(state => state.study === card.id && state.screen.name === 'study');
  return (
    <li>
      <button
        type="button"
        aria-current={isOpen ? 'page' : undefined}
        onClick={() => {
          openStudy(card.id);
          leaveSidebar();
        }}
        className={classNames(
          'flex w-full flex-col gap-0.5 rounded-md px-2 py-1.5 text-left',
          isOpen ? 'bg-surface shadow-sm' : 'hover:bg-surface',
        )}
      >
        <span className="flex w-full items-center justify-between gap-2">
          <span className="truncate font-medium text-sm" title={titleOf(card)}>
            {titleOf(card)}
          </span>
          <StatePill card={card} isSmall />
        </span>
        <span className="tabular truncate text-muted text-xs">
          {card.tally.best === null
            ? card.state === 'imported'
              ? 'nothing kept'
              : 'no result yet'
            : `best ${formatMetric(card.tally.best)}`}{' '}
          · {formatNumber(countTried(card.tally).tried)} tried
        </span>
      </button>
    </li>
  );
}

type Group = {
  readonly key: string;
  readonly name: string;
  readonly path: string;
  readonly studies: readonly StudyCard[];
};

/** Studies under their projects; studies of removed projects, and imported ones, under their own names. */
function groupStudies(projects: readonly Project[], studies: readonly StudyCard[]): readonly Group[] {
  const groups: Group[] = projects.map(({ gitDir, name, path }) => ({
    key: gitDir,
    name,
    path,
    studies: studies.filter(card => card.gitDir === gitDir && card.state !== 'imported'),
  }));
  const known = new Set(projects.map(project => project.gitDir));
  const rest = studies.filter(card => card.state !== 'imported' && !known.has(card.gitDir));
  for (const path of new Set(rest.map(card => card.repositoryPath))) {
    const own = rest.filter(card => card.repositoryPath === path);
    groups.push({ key: path, name: path.split('/').at(-1) ?? path, path, studies: own });
  }
  const imported = studies.filter(card => card.state === 'imported');
  if (imported.length > 0) groups.push({ key: 'imported', name: 'Imported', path: '', studies: imported });
  return groups;
}
