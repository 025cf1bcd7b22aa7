import type { Debrief, NextStep } from '../../../shared/debrief/debrief.ts';
import { goTo, showOverlay } from '../../app/actions.ts';
import { useStore } from '../../app/store.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from './section.tsx';

const VERBS: Readonly<Record<NextStep['action']['kind'], string>> = {
  queue: 'Queue …',
  steer: 'Steer …',
  audit: 'Audit …',
  resume: 'Resume …',
  instructions: 'Edit …',
  apply: 'Branch …',
};

/** What to do now, each one click away; the dialogs ask before anything happens. */
export function NextSteps({ debrief: { next } }: { readonly debrief: Debrief }) {
  const isOnline = useStore(state => state.connection.kind === 'online');
  if (next.length === 0) return null;
  return (
    <Section title="What to do next">
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
        {next.map(step => (
          <li key={step.title} className="flex items-center gap-4 px-4 py-2.5">
            <div className="min-w-0 flex-1">
              <p className="break-words font-medium">{step.title}</p>
              <p className="break-words text-muted text-sm">{step.why}</p>
            </div>
            <Button
              size="small"
              disabled={!isOnline}
              aria-label={`${VERBS[step.action.kind].replace(' …', '')}: ${step.title}`}
              onClick={() => follow(step.action)}
            >
              {VERBS[step.action.kind]}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function follow(action: NextStep['action']): void {
  switch (action.kind) {
    case 'queue':
      showOverlay({ name: 'queue', again: action.n });
      return;
    case 'steer':
      showOverlay({ name: 'steer', text: action.text });
      return;
    case 'instructions':
      goTo({ name: 'study', tab: 'instructions' });
      return;
    case 'apply':
      showOverlay({ name: 'stack' });
      return;
    default:
      showOverlay({ name: action.kind });
  }
}
