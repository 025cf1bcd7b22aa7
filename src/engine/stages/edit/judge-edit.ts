import { listed } from '../../../shared/listed.ts';
import {
  changedPaths,
  countEditableLines,
  digestEditable,
  type Files,
  MAX_EDIT_BYTES,
  MAX_NEW_FILES,
  type Scan,
} from '../../git/scan.ts';

/** The verdict on a proposer's changes to the worktree. */
export type Edit =
  | {
      readonly kind: 'edit';
      readonly paths: readonly string[];
      readonly digest: string;
      readonly sourceLines: number;
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string };

export type AcceptableEdit = Extract<Edit, { kind: 'edit' }>;

/** How many paths a message names before it counts the rest. */
const NAMED_PATHS = 5;

/** Only editable regular files may differ. Pure. */
export function judgeEdit(
  seen: {
    readonly before: Files;
    readonly scan: Scan;
    /** Untracked paths that an edit may not leave. */
    readonly foreign: readonly string[];
  },
  {
    tracked,
    isEditable,
  }: { readonly tracked: ReadonlySet<string>; readonly isEditable: (path: string) => boolean },
): Edit {
  const { files: now, isCut } = seen.scan;
  const changed = changedPaths(seen.before, now);
  const offending = [
    ...changed.filter(path => tracked.has(path) && !isEditable(path)),
    ...seen.foreign,
  ].sort();
  if (offending.length > 0) {
    return refuseEdit(
      'not_editable',
      `The edit touches what the contract does not call editable: ${namePaths(offending)}.`,
    );
  }
  const paths = changed.filter(isEditable);
  const odd = paths.filter(path => (now.get(path)?.kind ?? 'file') !== 'file');
  if (odd.length > 0) return refuseEdit('not_a_file', `Only plain files may be edited: ${namePaths(odd)}.`);
  const large = paths.filter(path => (now.get(path)?.size ?? 0) > MAX_EDIT_BYTES);
  if (large.length > 0) {
    const most = `${MAX_EDIT_BYTES / 1024 ** 2} MB`;
    return refuseEdit('too_large', `No edited file may be larger than ${most}: ${namePaths(large)}.`);
  }
  if (isCut) return refuseEdit('too_large', `The edit adds more than ${MAX_NEW_FILES} files.`);
  if (paths.length === 0) return refuseEdit('no_change', 'The edit changes nothing.');
  return {
    kind: 'edit',
    paths,
    digest: digestEditable(now, isEditable),
    sourceLines: countEditableLines(now),
  };
}

export function refuseEdit(reason: string, message: string): Edit {
  return { kind: 'refused', reason, message };
}

/** Names a few paths for a message. */
export function namePaths(paths: readonly string[]): string {
  return listed(
    paths.map(path => JSON.stringify(path).slice(1, -1)),
    NAMED_PATHS,
  );
}
