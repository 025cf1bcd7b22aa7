import { useEffect, useRef, useState } from 'react';
import { explain } from './explain.ts';
import { useStore } from './store.ts';

export type CallState<T> = {
  /** The last answer for the present subject, which stays until the next arrives. */
  readonly value: T | null;
  readonly problem: string | null;
  readonly isLoading: boolean;
};

/**
 * Calls again whenever `key` changes or the connection returns; a null key calls nothing. An answer to an outdated
 * question is dropped. While `subject` stays the same, the last answer stays until the next.
 */
export function useCall<T>(
  key: string | null,
  ask: () => Promise<T>,
  subject: string | null = key,
): CallState<T> & { readonly again: () => void } {
  const isOnline = useStore(state => state.connection.kind === 'online');
  const nothing = { subject, value: null, problem: null, isLoading: key !== null };
  const [state, setState] = useState<CallState<T> & { readonly subject: string | null }>(nothing);
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` is how `again` asks again; a subject has its keys.
  useEffect(() => {
    if (key === null || !isOnline) return;
    let isCurrent = true;
    const known = (before: { readonly subject: string | null; readonly value: T | null }) =>
      before.subject === subject ? before.value : null;
    setState(before => ({ subject, value: known(before), problem: null, isLoading: true }));
    latest
      .current()
      .then(value => isCurrent && setState({ subject, value, problem: null, isLoading: false }))
      .catch(error => {
        if (isCurrent) setState(before => ({ ...before, problem: explain(error), isLoading: false }));
      });
    return () => {
      isCurrent = false;
    };
  }, [key, isOnline, round]);
  // Between a change of the subject and the effect above, the state is still that of the one before.
  const { value, problem, isLoading } = state.subject === subject ? state : nothing;
  return { value, problem, isLoading, again: () => setRound(before => before + 1) };
}
