import { oc, type } from '@orpc/contract';
import { z } from 'zod';
import type { Instructions } from '../notebook.ts';
import { MEMORY_CHARACTERS, type Memory } from '../proposers/memory.ts';
import { inStudy, n, study, text } from './call-inputs.ts';

/** Calls about what proposers read. */
export const briefingCalls = {
  instructions: {
    read: oc.input(inStudy).output(type<Instructions>()),
    version: oc.input(z.strictObject({ study, id: n })).output(type<{ readonly text: string }>()),
    /** `base` is the version that was edited; refuses if a newer one was saved since. */
    save: oc.input(z.strictObject({ study, text: text(1_000_000), base: n })).output(type<Instructions>()),
  },
  /** What earlier studies learnt, as a study's proposers read it. */
  memory: {
    read: oc.input(inStudy).output(type<Memory>()),
    version: oc.input(z.strictObject({ study, id: n })).output(type<{ readonly text: string }>()),
    /** As with instructions. With an empty text, proposers get no memory. */
    save: oc
      .input(
        z.strictObject({
          ...{ study, base: n },
          text: text(MEMORY_CHARACTERS),
        }),
      )
      .output(type<Memory>()),
    /** Made from the studies as they are now. */
    again: oc.input(z.strictObject({ study, base: n })).output(type<Memory>()),
  },
};
