import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** Uses only variables, so that the editor follows the page's theme. */
const look = EditorView.theme({
  '&': {
    ...{ height: '100%', color: 'var(--ink)', backgroundColor: 'var(--surface)', fontSize: '0.8125rem' },
    // What lies above the editor, such as the buttons of a dialog, also lies above its parts.
    isolation: 'isolate',
  },
  '&.cm-focused': { outline: 'none' },
  // Above the line numbers and the coloured lines, which would cover an outline.
  '&.cm-focused::after': {
    ...{ content: '""', position: 'absolute', inset: 0, zIndex: 300, pointerEvents: 'none' },
    ...{ border: '2px solid var(--accent)', borderRadius: 'inherit' },
  },
  '.cm-scroller': {
    fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
    fontVariantLigatures: 'none',
    lineHeight: '1.6',
    overflow: 'auto',
  },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 12px' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-gutters': {
    backgroundColor: 'var(--sunken)',
    color: 'var(--faint)',
    borderRight: '1px solid var(--line)',
  },
  '&.cm-merge-b .cm-changedLine': { backgroundColor: 'var(--add)' },
  '&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText': { background: 'var(--add-strong)' },
  '&.cm-merge-b .cm-deletedChunk': { backgroundColor: 'var(--del)', paddingLeft: '12px' },
  '&.cm-merge-b .cm-deletedText, .cm-deletedChunk .cm-deletedText': { background: 'var(--del-strong)' },
  '&.cm-merge-b .cm-changedLineGutter': { background: 'var(--keep)' },
  // The library's sign is missing in most fonts.
  '.cm-collapsedLines::before, .cm-collapsedLines::after': { content: '"⋯"' },
  '.cm-deletedLineGutter': { background: 'var(--crash)' },
  '.cm-collapsedLines': {
    background: 'var(--sunken)',
    color: 'var(--muted)',
    padding: '2px 12px',
  },
  '.cm-activeLine': { backgroundColor: 'transparent' },
  '.cm-specialChar': { color: 'var(--crash)' },
  '.cm-panels': {
    backgroundColor: 'var(--sunken)',
    color: 'var(--ink)',
    fontFamily: 'inherit',
  },
  '.cm-panels-top': { borderBottom: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '6px 28px 6px 8px' },
  '.cm-panel.cm-search label': { fontSize: '0.75rem', color: 'var(--muted)' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--muted)', fontSize: '1rem', right: '8px', top: '6px' },
  '.cm-textfield': {
    border: '1px solid var(--line-strong)',
    borderRadius: '4px',
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    fontSize: '0.75rem',
  },
  '.cm-button': {
    border: '1px solid var(--line)',
    borderRadius: '4px',
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    fontSize: '0.75rem',
    '&:active': { backgroundImage: 'none', backgroundColor: 'var(--accent-soft)' },
  },
  '.cm-searchMatch': { backgroundColor: 'var(--hit)', color: 'var(--hit-ink)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--hit-active)', color: 'var(--hit-active-ink)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--sunken)' },
});

const colours = HighlightStyle.define([
  { tag: tags.heading, color: 'var(--code-type)', fontWeight: '600' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: [tags.link, tags.url], color: 'var(--code-function)' },
  { tag: [tags.monospace, tags.string], color: 'var(--code-string)' },
  { tag: [tags.quote, tags.comment], color: 'var(--code-comment)' },
  {
    tag: [tags.processingInstruction, tags.contentSeparator],
    color: 'var(--code-keyword)',
  },
  { tag: [tags.keyword, tags.tagName], color: 'var(--code-keyword)' },
  { tag: [tags.number, tags.bool, tags.attributeName], color: 'var(--code-number)' },
]);

/** The editor's look in light and dark. */
export const editorTheme = [look, syntaxHighlighting(colours)];
