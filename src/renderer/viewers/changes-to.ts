import { unifiedMergeView } from '@codemirror/merge';
import { type Extension, Text } from '@codemirror/state';
import { toEditorText } from './document-change.ts';

/** How many unchanged lines beside a change stay visible. */
const CONTEXT_LINES = 6;
const LEAST_FOLDED_LINES = 12;

/**
 * Marks the differences from another text in an editor, even while the user types.
 * @param isWhole whether unchanged text stays visible
 */
export function changesTo(before: string, isWhole = false): Extension {
  return unifiedMergeView({
    original: Text.of(toEditorText(before).text.split('\n')),
    mergeControls: false,
    ...(isWhole ? {} : { collapseUnchanged: { margin: CONTEXT_LINES, minSize: LEAST_FOLDED_LINES } }),
  });
}
