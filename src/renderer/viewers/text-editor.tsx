import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from '@codemirror/commands';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightSpecialChars, keymap } from '@codemirror/view';
import { useEffect, useId, useLayoutEffect, useRef } from 'react';
import { fromEditorText, smallestChange, toEditorText } from './document-change.ts';
import { editorTheme } from './editor-theme.ts';

export type TextEditorProps = {
  /** The text. If it differs from the editor's, it replaces that; the user can undo it. */
  readonly value: string;
  /** Called for every change by the user, with the line endings of `value`. */
  onChange(value: string): void;
  /** Control+S, or Command+S; null if there is nothing to save. */
  readonly onSave: (() => void) | null;
  readonly readOnly: boolean;
  /** Accessible name. */
  readonly label: string;
  /** The initial language and further extensions. */
  readonly extensions: Extension;
};

const fromOutside = Annotation.define<boolean>();

/** An editor for text. Tab indents; Escape and then Tab leaves it. */
export function TextEditor(props: TextEditorProps) {
  const { value, readOnly, label } = props;
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const manner = useRef(new Compartment());
  const latest = useRef(props);
  const lineEnd = useRef(toEditorText(value).lineEnd);
  const hintId = useId();
  useLayoutEffect(() => {
    latest.current = props;
  });

  // The layout effect runs before the one below, which applies later changes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: one editor for the life of the element
  useLayoutEffect(() => {
    if (parent.current === null) return;
    const editor = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: toEditorText(value).text,
        extensions: [
          manner.current.of(mannerOf(readOnly, label, hintId)),
          keymap.of([
            {
              key: 'Mod-s',
              preventDefault: true,
              stopPropagation: true,
              run: () => {
                if (!latest.current.readOnly) latest.current.onSave?.();
                return true;
              },
            },
            ...searchKeymap,
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          history(),
          search({ top: true }),
          highlightSelectionMatches(),
          highlightSpecialChars(),
          drawSelection(),
          props.extensions,
          editorTheme,
          EditorView.updateListener.of(update => {
            if (!update.docChanged || update.transactions.some(each => each.annotation(fromOutside))) return;
            latest.current.onChange(
              fromEditorText({ text: update.state.doc.toString(), lineEnd: lineEnd.current }),
            );
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, []);

  useLayoutEffect(() => {
    view.current?.dispatch({
      effects: manner.current.reconfigure(mannerOf(readOnly, label, hintId)),
    });
  }, [readOnly, label, hintId]);

  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    const next = toEditorText(value);
    lineEnd.current = next.lineEnd;
    const change = smallestChange(editor.state.doc.toString(), next.text);
    if (change !== null)
      editor.dispatch({ changes: change, annotations: [fromOutside.of(true), isolateHistory.of('full')] });
  }, [value]);

  return (
    <div className="text-editor h-full min-h-0">
      <p id={hintId} className="sr-only">
        {readOnly
          ? 'Read only. Tab leaves.'
          : `Tab indents. Press Escape, then Tab, to leave.${props.onSave ? ' Control+S saves.' : ''}`}
      </p>
      <div ref={parent} className="h-full" />
    </div>
  );
}

function mannerOf(readOnly: boolean, label: string, hintId: string): Extension {
  return [
    EditorState.readOnly.of(readOnly),
    // It stays focusable, so that read-only text can be read and searched by keyboard.
    readOnly ? [] : keymap.of([indentWithTab]),
    EditorView.contentAttributes.of({
      'aria-label': label,
      'aria-describedby': hintId,
      'aria-readonly': String(readOnly),
      // A scrollable area must be reachable by keyboard.
      tabindex: '0',
    }),
  ];
}
