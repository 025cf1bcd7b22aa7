import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import { type EditableFiles, editSchema, type Idea, ideaWordsSchema } from '../proposers/ideas.ts';
import { inStudy, n, study } from './call-inputs.ts';

/** Calls about the queue of ideas. */
export const ideaCalls = {
  list: oc
    .input(inStudy)
    .output(type<{ readonly waiting: readonly Idea[]; readonly past: readonly Idea[] }>()),
  /**
   * Adds an idea to the end of the queue. Rejects with `usage` if an edit does not apply. `again` tries an
   * experiment's edit again; `base` is the incumbent on which the edits were made, if it has changed since.
   */
  add: oc
    .input(
      z.strictObject({
        ...{ study, words: ideaWordsSchema, again: n.nullable(), base: n.nullish() },
        edits: z.array(editSchema).max(100),
      }),
    )
    .output(type<Idea>()),
  /** Changes the words of a waiting idea. */
  say: oc.input(z.strictObject({ study, id: n, words: ideaWordsSchema })),
  /** Sets the order of the waiting ideas. */
  order: oc.input(z.strictObject({ study, ids: z.array(n).max(1_000) })),
  drop: oc.input(z.strictObject({ study, id: n })),
  /** Unified diff of its edit, from the commit it is based on; '' if it is only words. */
  diff: oc
    .input(z.strictObject({ study, id: n }))
    .output(type<{ readonly diff: string; readonly isCut: boolean }>()),
  /** Puts a dropped idea at the end of the queue. */
  restore: oc.input(z.strictObject({ study, id: n })),
  /** The editable files of an experiment's attempt, or of the incumbent if `n` is null. */
  files: oc.input(z.strictObject({ study, n: n.nullable() })).output(type<EditableFiles>()),
};
