import { useEffect } from 'react';
import { goTo } from '../../app/actions.ts';
import { markSeen } from '../../app/seen.ts';
import type { StudyTab } from '../../app/store.ts';
import { STUDY_TABS, useStore, useStudy } from '../../app/store.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Loading, lazyView } from '../../ui/lazy-view.tsx';
import { TabList, TabPanel, Tabs } from '../../ui/tabs.tsx';
import { NotebookScreen } from '../notebook/notebook-screen.tsx';
import { StudyHeader } from './study-header.tsx';

const CompareScreen = lazyView(
  () => import('../compare/compare-screen.tsx').then(file => file.CompareScreen),
  <Loading />,
);
const ConstantsScreen = lazyView(
  () => import('../constants/constants-screen.tsx').then(file => file.ConstantsScreen),
  <Loading />,
);
const DebriefScreen = lazyView(
  () => import('../debrief/debrief-screen.tsx').then(file => file.DebriefScreen),
  <Loading />,
);
const InstructionsScreen = lazyView(
  () => import('../instructions/instructions-screen.tsx').then(file => file.InstructionsScreen),
  <Loading />,
);
const TableScreen = lazyView(
  () => import('../table/table-screen.tsx').then(file => file.TableScreen),
  <Loading />,
);
const LineageScreen = lazyView(
  () => import('../lineage/lineage-screen.tsx').then(file => file.LineageScreen),
  <Loading />,
);
const LiveScreen = lazyView(
  () => import('../live/live-screen.tsx').then(file => file.LiveScreen),
  <Loading />,
);

/** Nothing runs, and there are no instructions. */
const IMPORTED_TABS: readonly StudyTab[] = ['notebook', 'compare', 'debrief', 'table'];

/** One study: its state at the top, one of its views below. */
export function StudyScreen({ tab: wanted }: { readonly tab: StudyTab }) {
  const card = useStudy();
  const compared = useStore(state => state.view.compared.length);
  useEffect(() => {
    if (card) markSeen(card);
  }, [card]);
  if (!card) {
    return (
      <EmptyState title="This study is not in the ledger">
        Choose another on the left, or open a project to start one.
      </EmptyState>
    );
  }
  const names = card.state === 'imported' ? IMPORTED_TABS : STUDY_TABS;
  const tab = names.includes(wanted) ? wanted : 'notebook';
  const titles: Readonly<Record<StudyTab, string>> = {
    notebook: 'Notebook',
    live: 'Live',
    compare: compared > 0 ? `Compare (${compared})` : 'Compare',
    instructions: card.contract.instructions ?? 'Instructions',
    debrief: 'Debrief',
    table: 'Table',
    constants: 'Constants',
    lineage: 'Lineage',
  };
  return (
    <Tabs
      names={names}
      chosen={tab}
      onChoose={name => goTo({ name: 'study', tab: name })}
      className="flex min-h-0 flex-1 flex-col"
    >
      <StudyHeader card={card} />
      <div className="border-line border-b px-5">
        <TabList label="Views of the study" names={names} titles={titles} />
      </div>
      {names.map(name => (
        <TabPanel key={name} name={name} className="flex min-h-0 flex-1 flex-col">
          {name === 'notebook' ? <NotebookScreen card={card} /> : null}
          {name === 'live' ? <LiveScreen card={card} /> : null}
          {name === 'compare' ? <CompareScreen card={card} /> : null}
          {name === 'instructions' ? <InstructionsScreen key={card.id} card={card} /> : null}
          {name === 'constants' ? <ConstantsScreen key={card.id} card={card} /> : null}
          {name === 'table' ? <TableScreen key={card.id} card={card} /> : null}
          {name === 'lineage' ? <LineageScreen key={card.id} card={card} /> : null}
          {name === 'debrief' ? <DebriefScreen key={card.id} card={card} /> : null}
        </TabPanel>
      ))}
    </Tabs>
  );
}
