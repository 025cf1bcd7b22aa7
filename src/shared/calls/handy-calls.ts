import { oc, type } from '@orpc/contract';
import { z } from 'zod';

const at = {
  study: z.string().min(1).max(64),
  n: z.number().int().nonnegative().max(10_000_000),
};

/** Calls that take one experiment to another program. */
export const handyCalls = {
  /** The experiment as Markdown, with its diff. */
  markdown: oc.input(z.strictObject(at)).output(type<{ readonly text: string }>()),
  /** Opens a copy of its files in an editor on the host's machine. Rejects with `usage` if there is none. */
  openInEditor: oc
    .input(z.strictObject(at))
    .output(type<{ readonly editor: string; readonly folder: string }>()),
  /** The path of one of its files on the host's machine; also shown in the file manager if the host has one. */
  reveal: oc
    .input(z.strictObject({ ...at, what: z.enum(['log', 'folder']) }))
    .output(type<{ readonly path: string; readonly isShown: boolean }>()),
};
