import { unifiedMergeView } from '@codemirror/merge';
import { type Extension, Text } from '@codemirror/state';
import { toEditorText } from './document-change.ts';

/** Unchanged lines beside a change that stay in sight. */
const CONTEXT_LINES = 6;
const LEAST_FOLDED_LINES = 12;

/**
 * Marks in an editor what differs from another text, also as it is typed.
 * @param isWhole whether what does not differ stays in sight
 */
export function changesTo(before: string, isWhole = false): Extension {
  return unifiedMergeView({
    original: Text.of(toEditorText(before).text.split('\n')),
    mergeControls: false,
    ...(isWhole ? {} : { collapseUnchanged: { margin: CONTEXT_LINES, minSize: LEAST_FOLDED_LINES } }),
  });
}
