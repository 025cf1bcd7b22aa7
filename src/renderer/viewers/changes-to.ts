import { unifiedMergeView } from '@codemirror/merge';
import { type Extension, Text } from '@codemirror/state';
import { toEditorText } from './document-change.ts';

/** Unchanged lines beside a change that stay in sight. */
const CONTEXT_LINES = 6;
const LEAST_FOLDED_LINES = 12;

/** Marks in an editor what differs from another text, also as it is typed. */
export function changesTo(before: string): Extension {
  return unifiedMergeView({
    original: Text.of(toEditorText(before).text.split('\n')),
    mergeControls: false,
    collapseUnchanged: { margin: CONTEXT_LINES, minSize: LEAST_FOLDED_LINES },
  });
}
