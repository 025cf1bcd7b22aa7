import { markdown, markdownLanguage } from '@codemirror/lang-markdown';
import { EditorView } from '@codemirror/view';
import { TextEditor, type TextEditorProps } from './text-editor.tsx';

const MARKDOWN = [EditorView.lineWrapping, markdown({ base: markdownLanguage })];

/** An editor for Markdown as text. */
export function MarkdownEditor(props: Omit<TextEditorProps, 'extensions'>) {
  return <TextEditor {...props} extensions={MARKDOWN} />;
}
