import { CircleAlert, CircleCheck, CircleMinus, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { PreflightCheck } from '../../../shared/contract/set-up.ts';

const SIGNS = {
  ok: { icon: CircleCheck, className: 'text-keep', word: 'ok' },
  warning: { icon: TriangleAlert, className: 'text-warn', word: 'warning' },
  failed: { icon: CircleAlert, className: 'text-crash', word: 'failed' },
  skipped: { icon: CircleMinus, className: 'text-muted', word: 'skipped' },
} as const;

/** The host's checks and their results: first those that fail, because the others may need scrolling. */
export function Checks({
  checks,
  isLoading,
  problem,
}: {
  readonly checks: readonly PreflightCheck[] | null;
  readonly isLoading: boolean;
  readonly problem: string | null;
}) {
  if (problem) return <p className="text-crash text-sm">{problem}</p>;
  if (!checks) {
    return (
      <p className="flex items-center gap-2 text-muted text-sm" role="status">
        <LoaderCircle size={15} aria-hidden /> Checking …
      </p>
    );
  }
  const fails = ({ outcome }: PreflightCheck) => outcome === 'failed';
  const ordered = [...checks.filter(fails), ...checks.filter(check => !fails(check))];
  return (
    <ul className="flex flex-col gap-2.5 max-lg:grid max-lg:grid-cols-2 max-lg:gap-x-6" aria-busy={isLoading}>
      {ordered.map(({ name, outcome, detail }) => {
        const { icon: Icon, className, word } = SIGNS[outcome];
        return (
          <li key={`${name}${detail}`} className="flex gap-2.5 text-sm">
            <Icon size={16} className={`mt-0.5 shrink-0 ${className}`} role="img" aria-label={word} />
            <div className="min-w-0">
              <p className="font-medium">{name}</p>
              <p className="whitespace-pre-wrap break-words text-muted text-xs">{detail}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
