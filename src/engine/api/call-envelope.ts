import { z } from 'zod';

/** The largest thing a window sends is a file of instructions. */
export const MAX_MESSAGE_CHARACTERS = 16 * 1024 * 1024;

/** oRPC's message types from a window: a request, or (type 4) that its answer is no longer wanted. */
const ABORT = 4;
const id = z.string().min(1).max(64);
const requestSchema = z.strictObject({
  i: id,
  t: z.literal(1).optional(),
  p: z.strictObject({
    u: z.string().max(1_000).startsWith('/'),
    b: z.unknown().optional(),
    // oRPC would decode a body that is not JSON by its content type; no call takes one.
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
 * Whether oRPC can parse this message from a window. For any other, oRPC would reject a promise that nobody awaits,
 * so carriers check here first. The call inside is checked later, against its own schema.
 */
export function isCallMessage(data: unknown): data is string {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE_CHARACTERS) return false;
  try {
    return messageSchema.safeParse(JSON.parse(data)).success;
  } catch {
    return false;
  }
}
