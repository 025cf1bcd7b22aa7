import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import type { LeftJob } from '../machines/left-jobs.ts';

/** Calls about jobs on other machines, of all studies. */
export const jobCalls = {
  list: oc.output(type<readonly LeftJob[]>()),
  /** Nobody asks for it any more. Rejects with `usage` for a job that is under way, or not known. */
  giveUp: oc.input(z.strictObject({ id: z.string().regex(/^pawl-[\w.-]{1,115}$/) })).output(type<void>()),
};
