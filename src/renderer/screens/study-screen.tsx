import { goTo } from '../state/actions.ts';
import type { StudyTab } from '../state/store.ts';
import { STUDY_TABS, useStore, useStudy } from '../state/store.ts';
import { classNames } from '../ui/class-names.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { CompareScreen } from './compare-screen.tsx';
import { InstructionsScreen } from './instructions-screen.tsx';
import { LiveScreen } from './live-screen.tsx';
import { NotebookScreen } from './notebook-screen.tsx';
import { StudyHeader } from './study-header.tsx';

/** One study: how it stands above, one of its four views below. */
export function StudyScreen({ tab }: { readonly tab: StudyTab }) {
  const card = useStudy();
  const compared = useStore(state => state.view.compared.length);
  if (!card) {
    return (
      <EmptyState title="This study is not in the ledger">
        Choose another on the left, or open a project to begin one.
      </EmptyState>
    );
  }
  const names: Readonly<Record<StudyTab, string>> = {
    notebook: 'Notebook',
    live: 'Live',
    compare: compared > 0 ? `Compare (${compared})` : 'Compare',
    instructions: card.contract.instructions ?? 'Instructions',
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <StudyHeader card={card} />
      <div role="tablist" aria-label="Views of the study" className="flex gap-1 border-line border-b px-5">
        {STUDY_TABS.map(name => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={tab === name}
            aria-controls="study-panel"
            onClick={() => goTo({ name: 'study', tab: name })}
            className={classNames(
              '-mb-px border-b-2 px-3 py-2 font-medium text-sm',
              tab === name ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink',
            )}
          >
            {names[name]}
          </button>
        ))}
      </div>
      <div
        id="study-panel"
        role="tabpanel"
        aria-labelledby={`tab-${tab}`}
        className="flex min-h-0 flex-1 flex-col"
      >
        {tab === 'notebook' ? <NotebookScreen card={card} /> : null}
        {tab === 'live' ? <LiveScreen card={card} /> : null}
        {tab === 'compare' ? <CompareScreen card={card} /> : null}
        {tab === 'instructions' ? <InstructionsScreen key={card.id} card={card} /> : null}
      </div>
    </div>
  );
}
