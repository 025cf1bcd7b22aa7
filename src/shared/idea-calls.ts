import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import { inStudy, n, study } from './call-inputs.ts';
import { type EditableFiles, editSchema, type Idea, ideaWordsSchema } from './ideas.ts';

/** Calls about the queue of ideas. */
export const ideaCalls = {
  list: oc
    .input(inStudy)
    .output(type<{ readonly waiting: readonly Idea[]; readonly past: readonly Idea[] }>()),
  /**
   * Puts an idea last. Rejects with `usage` where an edit does not apply. `again` tries an experiment's edit again; `base` is
   * the incumbent the edits were made on, if it is another than now.
   */
  add: oc
    .input(
      z.strictObject({
        ...{ study, words: ideaWordsSchema, again: n.nullable(), base: n.nullish() },
        edits: z.array(editSchema).max(100),
      }),
    )
    .output(type<Idea>()),
  /** Other words for one that waits. */
  say: oc.input(z.strictObject({ study, id: n, words: ideaWordsSchema })),
  /** Those that wait in their new order. */
  order: oc.input(z.strictObject({ study, ids: z.array(n).max(1_000) })),
  drop: oc.input(z.strictObject({ study, id: n })),
  /** Unified diff of its edit, from the commit it was made on; '' where it is words only. */
  diff: oc
    .input(z.strictObject({ study, id: n }))
    .output(type<{ readonly diff: string; readonly isCut: boolean }>()),
  /** Lets one that was dropped wait again, last. */
  restore: oc.input(z.strictObject({ study, id: n })),
  /** The editable files of an experiment's attempt, of the incumbent where it is null. */
  files: oc.input(z.strictObject({ study, n: n.nullable() })).output(type<EditableFiles>()),
};
