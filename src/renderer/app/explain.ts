import { ORPCError } from '@orpc/client';
import type { ErrorCode } from '../../shared/errors.ts';

/** The error's code; null if the host gave none. */
export function codeOf(error: unknown): ErrorCode | null {
  return error instanceof ORPCError ? ((error.data as { code?: ErrorCode } | undefined)?.code ?? null) : null;
}

/** The error in words for the user: the host's own sentence, or that the host cannot be reached. */
export function explain(error: unknown): string {
  if (error instanceof ORPCError) {
    const issues = (
      error.data as { issues?: readonly { message: string; path?: readonly unknown[] }[] } | undefined
    )?.issues;
    const first = issues?.[0];
    return first ? `${first.path?.length ? `${first.path.join('.')}: ` : ''}${first.message}` : error.message;
  }
  const { message } = error as Error;
  return /abort|closed|not open|connection/i.test(message)
    ? 'The connection to Pawl was lost; your request may not have been carried out.'
    : message;
}
