import { formatExactTime, formatRelative } from '../../shared/numbers.ts';
import { useNow } from './use-now.ts';

const TICK_MS = 15_000;

/** `12 min ago`, with the exact time on hover. */
export function RelativeTime({ at }: { readonly at: number }) {
  const now = useNow(TICK_MS);
  return (
    <time
      dateTime={new Date(at).toISOString()}
      // Formatted only on demand: a window's first exact time takes as long as a screen of cells.
      onPointerEnter={event => event.currentTarget.setAttribute('title', formatExactTime(at))}
      className="whitespace-nowrap"
    >
      {formatRelative(at, Math.max(now, at))}
    </time>
  );
}
