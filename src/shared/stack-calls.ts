import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import type { Idea } from './ideas.ts';
import { MAX_KEEPS, type PullRequest, type Stack } from './stack.ts';

const n = z.number().int().nonnegative().max(10_000_000);
const order = z.array(n).max(MAX_KEEPS);
const inStudy = { study: z.string().min(1).max(64) };
const choice = { ...inStudy, order, signsOff: z.boolean() };

/** Calls that take a night's keeps to git, a commit for each; an order names those that are chosen. */
export const stackCalls = {
  /** What a choice would become; with null all keeps, as they were kept. Writes nothing. */
  read: oc.input(z.strictObject({ ...inStudy, order: order.nullable() })).output(type<Stack>()),
  /** Makes a branch that is not there yet. Rejects with `usage` where a commit conflicts. */
  branch: oc
    .input(z.strictObject({ ...choice, branch: z.string().max(200).trim().min(1, 'Name the branch.') }))
    .output(type<{ readonly commit: string; readonly count: number }>()),
  /** Writes numbered patches into a folder of the host's machine; tells their paths. */
  savePatches: oc
    .input(z.strictObject({ ...choice, folder: z.string().max(4_096).trim().min(1, 'Name the folder.') }))
    .output(type<{ readonly files: readonly string[] }>()),
  /** All of them as one file that `git am` takes, in base 64: patches need not be UTF-8. */
  patches: oc
    .input(z.strictObject(choice))
    .output(type<{ readonly name: string; readonly content: string }>()),
  pullRequest: oc.input(z.strictObject({ ...inStudy, order })).output(type<PullRequest>()),
  /** Puts the choice into the queue of ideas, or with `without` the choice without that one. */
  queue: oc.input(z.strictObject({ ...inStudy, order, without: n.nullable() })).output(type<Idea>()),
};
