import { Brain } from 'lucide-react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { useStore } from '../../app/store.ts';

/** What a model is doing while it proposes; empty afterwards. */
export function ThoughtNow({ card }: { readonly card: StudyCard }) {
  const thought = useStore(state => state.thought);
  const { current, id } = card;
  if (current?.phase !== 'proposing' || thought?.study !== id || thought.n !== current.n) return null;
  return (
    <section
      aria-label="What the proposer is thinking"
      className="flex gap-2 rounded-md bg-sunken p-2.5 text-muted text-sm"
    >
      <Brain size={15} aria-hidden className="mt-0.5 shrink-0" />
      {/* Scrolled to the end, where the newest text is. */}
      <div className="flex max-h-40 min-w-0 flex-col-reverse overflow-y-auto">
        <p className="whitespace-pre-wrap break-words">{thought.text}</p>
      </div>
    </section>
  );
}
