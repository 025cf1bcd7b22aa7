import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import type { Idea } from '../proposers/ideas.ts';
import { MAX_KEEPS, type PullRequest, type Stack } from '../stack.ts';

const n = z.number().int().nonnegative().max(10_000_000);
const order = z.array(n).max(MAX_KEEPS);
const inStudy = { study: z.string().min(1).max(64) };
const choice = { ...inStudy, order, signsOff: z.boolean() };

/** Calls that turn a night's keeps into commits, one each; an order lists the chosen ones. */
export const stackCalls = {
  /** A preview of a choice; null means all keeps, in the order they were kept. Writes nothing. */
  read: oc.input(z.strictObject({ ...inStudy, order: order.nullable() })).output(type<Stack>()),
  /** Makes a new branch. Rejects with `usage` if a commit conflicts. */
  branch: oc
    .input(z.strictObject({ ...choice, branch: z.string().max(200).trim().min(1, 'Name the branch.') }))
    .output(type<{ readonly commit: string; readonly count: number }>()),
  /** Writes numbered patches into a folder on the host's machine, and returns their paths. */
  savePatches: oc
    .input(z.strictObject({ ...choice, folder: z.string().max(4_096).trim().min(1, 'Name the folder.') }))
    .output(type<{ readonly files: readonly string[] }>()),
  /** All of them as one file for `git am`, in base 64, because patches need not be UTF-8. */
  patches: oc
    .input(z.strictObject(choice))
    .output(type<{ readonly name: string; readonly content: string }>()),
  pullRequest: oc.input(z.strictObject({ ...inStudy, order })).output(type<PullRequest>()),
  /** Puts the choice into the queue of ideas; with `without`, the choice except for that one. */
  queue: oc.input(z.strictObject({ ...inStudy, order, without: n.nullable() })).output(type<Idea>()),
};
