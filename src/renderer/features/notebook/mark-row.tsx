import {
  ArrowRightLeft,
  CircleStop,
  FilePen,
  GitBranch,
  History,
  MessageSquare,
  Moon,
  Pause,
  Play,
  Repeat2,
  Scale,
  Server,
  ServerOff,
  ShieldX,
  TriangleAlert,
  Undo2,
  UserCheck,
} from 'lucide-react';
import { JOB_NAME } from '../../../shared/machines/left-jobs.ts';
import type { Mark, RefusedProposal } from '../../../shared/notebook.ts';
import { showOverlay } from '../../app/actions.ts';
import { describeStopMark } from '../../format/stop-reasons.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { RelativeTime } from '../../ui/relative-time.tsx';

const LOOKS = {
  started: { icon: Play, className: 'text-muted' },
  stopped: { icon: CircleStop, className: 'text-muted' },
  paused: { icon: Pause, className: 'text-muted' },
  continued: { icon: Play, className: 'text-muted' },
  steered: { icon: MessageSquare, className: 'text-accent' },
  instructions: { icon: FilePen, className: 'text-accent' },
  memory: { icon: History, className: 'text-accent' },
  applied: { icon: GitBranch, className: 'text-keep' },
  approval: { icon: UserCheck, className: 'text-accent' },
  rested: { icon: Moon, className: 'text-muted' },
  host_away: { icon: ServerOff, className: 'text-warn' },
  host_joined: { icon: Server, className: 'text-muted' },
  unfair: { icon: Scale, className: 'text-warn' },
  handed_over: { icon: ArrowRightLeft, className: 'text-muted' },
  repeated: { icon: Repeat2, className: 'text-muted' },
  rolled_back: { icon: Undo2, className: 'text-warn' },
  warning: { icon: TriangleAlert, className: 'text-warn' },
} as const;

function words(mark: Mark): string {
  switch (mark.kind) {
    case 'started':
      return `Started with proposer ${mark.text}`;
    case 'stopped':
      return describeStopMark(mark.text);
    case 'paused':
      return 'Paused';
    case 'continued':
      return 'Continued';
    case 'steered':
      return `You: ${mark.text}`;
    case 'instructions':
    case 'memory':
      return mark.text;
    case 'applied':
      return `Branch ${mark.text}`;
    case 'approval':
      return mark.text === 'on'
        ? 'From here each proposal waits for your approval'
        : 'From here proposals run without your approval';
    case 'rested':
    case 'host_away':
    case 'host_joined':
    case 'unfair':
    case 'handed_over':
    case 'repeated':
    case 'rolled_back':
    case 'warning':
      return mark.text;
    default:
      return mark.kind satisfies never;
  }
}

/** An event between two experiments. */
export function MarkRow({ mark }: { readonly mark: Mark }) {
  const { icon: Icon, className } = LOOKS[mark.kind];
  return (
    <p className="flex min-h-8 items-center gap-2 bg-sunken px-5 py-1.5 text-sm leading-5">
      <Icon size={14} aria-hidden className={classNames('shrink-0', className)} />
      <span className="min-w-0 flex-1 break-words">{words(mark)}</span>
      {mark.kind === 'warning' && JOB_NAME.test(mark.text) ? (
        <Button size="small" onClick={() => showOverlay({ name: 'jobs' })}>
          Show jobs …
        </Button>
      ) : null}
      <span className="text-muted text-xs">
        <RelativeTime at={mark.at} />
      </span>
    </p>
  );
}

/** Proposals for one experiment that were refused before they cost a run. */
export function RefusedRow({
  n,
  refusals,
}: {
  readonly n: number;
  readonly refusals: readonly RefusedProposal[];
}) {
  return (
    <details className="bg-sunken px-5 py-1.5 text-sm">
      <summary className="flex items-center gap-2 text-muted">
        <ShieldX size={14} aria-hidden className="shrink-0" />
        {refusals.length === 1 ? 'A proposal' : `${refusals.length} proposals`} for #{n} refused
        <span className="truncate text-xs">{refusals.at(-1)?.message}</span>
      </summary>
      <ul className="mt-1 mb-1 ml-6 flex flex-col gap-1">
        {refusals.map(refusal => (
          <li key={`${refusal.at}${refusal.message}`}>
            <span className="font-medium">{refusal.hypothesis ?? refusal.reason.replaceAll('_', ' ')}</span>
            <span className="block text-muted text-xs">{refusal.message}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
