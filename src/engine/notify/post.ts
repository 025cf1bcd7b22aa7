import { stripControl } from '../metrics/line-splitter.ts';
import type { MessageRequest } from './request-of.ts';

export type Outcome =
  | { readonly kind: 'sent' }
  /** `afterMs` is the wait that the server asks for; null if it does not say. */
  | { readonly kind: 'try_again'; readonly error: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly error: string };

const TIMEOUT_MS = 15_000;
/** Only this much of an answer is read, which is enough to see what was wrong. */
const ANSWER_BYTES = 1_024;
/** The longest wait that a server can ask for. */
const MAX_AFTER_MS = 600_000;

/** Posts a message. Rejects only with the reason of `signal`. Follows no redirect, which could lead anywhere. */
export async function post({ url, headers, body }: MessageRequest, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', redirect: 'manual', headers, body },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.ok) {
      // The message is accepted; the rest of the answer does not matter.
      void response.body?.cancel().catch(() => {});
      return { kind: 'sent' };
    }
    const answer = await beginningOf(response);
    const error = `The server answered ${response.status}${answer === '' ? '' : `: ${answer}`}`;
    const isTemporary = [408, 425, 429].includes(response.status) || response.status >= 500;
    if (!isTemporary) return { kind: 'refused', error };
    return { kind: 'try_again', error, afterMs: retryAfter(response.headers.get('retry-after')) };
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'try_again', error: reasonOf(error as Error), afterMs: null };
  }
}

async function beginningOf(response: Response): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const piece of response.body ?? []) {
    bytes = Buffer.concat([bytes, piece]);
    if (bytes.length >= ANSWER_BYTES) break;
  }
  return stripControl(bytes.toString('utf8').replaceAll(/\s+/g, ' ')).trim().slice(0, 200);
}

/** Seconds, as servers with rate limits send them; dates are ignored, since the wait is at most ten minutes. */
function retryAfter(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1_000, MAX_AFTER_MS) : null;
}

function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError') return `The server did not answer within ${TIMEOUT_MS / 1_000} s.`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return `The server cannot be reached: ${cause.message || (cause as NodeJS.ErrnoException).code || error.message}`;
}
