import { z } from 'zod';

/** The largest thing a window sends is a file of instructions. */
export const MAX_MESSAGE_CHARACTERS = 16 * 1024 * 1024;

/** How oRPC writes what a window sends: a request, or (type 4) that its answer is not wanted any more. */
const ABORT = 4;
const id = z.string().min(1).max(64);
const requestSchema = z.strictObject({
  i: id,
  t: z.literal(1).optional(),
  p: z.strictObject({
    u: z.string().max(1_000).startsWith('/'),
    b: z.unknown().optional(),
    // A body that is not JSON would be decoded by its type; no call takes one.
    h: z
      .record(z.string(), z.string().max(1_000))
      .refine(headers => !Object.keys(headers).some(name => name.toLowerCase().startsWith('content-')))
      .optional(),
    m: z.enum(['GET', 'POST']).optional(),
  }),
});
const abortSchema = z.strictObject({ i: id, t: z.literal(ABORT), p: z.unknown().optional() });
const messageSchema = z.union([requestSchema, abortSchema]);

/**
 * Whether something a window sent is a message that oRPC can take apart. What is not would reject where nobody
 * waits, so a carrier asks here first. The call inside is checked later, against its own schema.
 */
export function isCallMessage(data: unknown): data is string {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE_CHARACTERS) return false;
  try {
    return messageSchema.safeParse(JSON.parse(data)).success;
  } catch {
    return false;
  }
}
