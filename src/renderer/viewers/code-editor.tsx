import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { indentUnit } from '@codemirror/language';
import { unifiedMergeView } from '@codemirror/merge';
import { type Extension, Text } from '@codemirror/state';
import { lineNumbers } from '@codemirror/view';
import { useMemo } from 'react';
import { toEditorText } from './document-change.ts';
import { TextEditor, type TextEditorProps } from './text-editor.tsx';

/** Unchanged lines beside a change that stay in sight. */
const CONTEXT_LINES = 6;
const LEAST_FOLDED_LINES = 12;

/** By the ending of a file's name; other files are plain text. */
const LANGUAGES: Readonly<Record<string, () => Extension>> = {
  py: () => [python(), indentUnit.of('    ')],
  pyi: () => [python(), indentUnit.of('    ')],
  md: () => markdown(),
};

/** An editor for a file of code, with what is changed of `before` marked as it is typed. */
export function CodeEditor({
  path,
  before,
  ...props
}: Omit<TextEditorProps, 'extensions' | 'onSave' | 'readOnly'> & {
  /** Tells the language. */
  readonly path: string;
  /** The text that the changes are shown against. */
  readonly before: string;
}) {
  const extensions = useMemo(
    () => [
      lineNumbers(),
      LANGUAGES[path.slice(path.lastIndexOf('.') + 1)]?.() ?? [],
      unifiedMergeView({
        original: Text.of(toEditorText(before).text.split('\n')),
        mergeControls: false,
        collapseUnchanged: { margin: CONTEXT_LINES, minSize: LEAST_FOLDED_LINES },
      }),
    ],
    [path, before],
  );
  return <TextEditor {...props} extensions={extensions} onSave={null} readOnly={false} />;
}
