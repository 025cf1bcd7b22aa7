import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { indentUnit } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useMemo } from 'react';
import { changesTo } from './changes-to.ts';
import { TextEditor, type TextEditorProps } from './text-editor.tsx';

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
  isWhole = false,
  ...props
}: Omit<TextEditorProps, 'extensions' | 'onSave' | 'readOnly'> & {
  /** Tells the language. */
  readonly path: string;
  /** The text that the changes are shown against. */
  readonly before: string;
  /** Whether what is not changed stays in sight. */
  readonly isWhole?: boolean;
}) {
  const extensions = useMemo(
    () => [
      lineNumbers(),
      // A whole file stands in a dialog, which has no room beside it.
      isWhole ? EditorView.lineWrapping : [],
      LANGUAGES[path.slice(path.lastIndexOf('.') + 1)]?.() ?? [],
      changesTo(before, isWhole),
    ],
    [path, before, isWhole],
  );
  return <TextEditor {...props} extensions={extensions} onSave={null} readOnly={false} />;
}
