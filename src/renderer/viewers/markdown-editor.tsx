import { markdown, markdownLanguage } from '@codemirror/lang-markdown';
import { EditorView } from '@codemirror/view';
import { useMemo } from 'react';
import { changesTo } from './changes-to.ts';
import { TextEditor, type TextEditorProps } from './text-editor.tsx';

const MARKDOWN = [EditorView.lineWrapping, markdown({ base: markdownLanguage })];

/** An editor for Markdown as text. */
export function MarkdownEditor({
  before,
  ...props
}: Omit<TextEditorProps, 'extensions'> & {
  /** The initial text to compare with; null shows no changes. */
  readonly before: string | null;
}) {
  const extensions = useMemo(() => (before === null ? MARKDOWN : [MARKDOWN, changesTo(before)]), [before]);
  return <TextEditor {...props} extensions={extensions} />;
}
