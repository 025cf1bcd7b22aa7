import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { indentUnit } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useMemo } from 'react';
import { changesTo } from './changes-to.ts';
import { TextEditor, type TextEditorProps } from './text-editor.tsx';

/** By file ending; other files are plain text. */
const LANGUAGES: Readonly<Record<string, () => Extension>> = {
  py: () => [python(), indentUnit.of('    ')],
  pyi: () => [python(), indentUnit.of('    ')],
  md: () => markdown(),
};

/** An editor for a code file that marks the changes from `before` while the user types. */
export function CodeEditor({
  path,
  before,
  isWhole = false,
  ...props
}: Omit<TextEditorProps, 'extensions' | 'onSave' | 'readOnly'> & {
  /** Determines the language. */
  readonly path: string;
  /** The text to compare with. */
  readonly before: string;
  /** Whether unchanged text stays visible. */
  readonly isWhole?: boolean;
}) {
  const extensions = useMemo(
    () => [
      lineNumbers(),
      // A whole file is shown in a dialog, which has no room on the side.
      isWhole ? EditorView.lineWrapping : [],
      LANGUAGES[path.slice(path.lastIndexOf('.') + 1)]?.() ?? [],
      changesTo(before, isWhole),
    ],
    [path, before, isWhole],
  );
  return <TextEditor {...props} extensions={extensions} onSave={null} readOnly={false} />;
}
