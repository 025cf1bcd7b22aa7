import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo, useId, useMemo, useState } from 'react';
import type { HunkData, HunkTokens } from 'react-diff-view';
import { once } from '../../shared/once.ts';
import { type DiffChunk, DiffChunkView, type DiffMode } from './diff-chunk-view.tsx';
import {
  canColour,
  highlightHunk,
  languageOf,
  MAX_COLOURED_CHARACTERS,
  MAX_COLOURED_LINES,
} from './highlight-hunk.ts';
import { LineCounts } from './line-counts.tsx';
import { pairChanges } from './mark-words.ts';
import type { DiffFile } from './parse-diff.ts';
import { showPath } from './quoted-path.ts';

const KINDS: Readonly<Record<DiffFile['kind'], string | null>> = {
  add: 'new',
  delete: 'deleted',
  modify: null,
  rename: 'renamed',
  copy: 'copied',
};

/** How many rows are shown at first, and more with each press: a table of all rows of a huge file would take seconds. */
const ROW_PAGE = 3_000;
const CHUNK_ROWS = 150;
/** How many tables at the top of a file are created at once; the others follow when they come near. */
const EAGER_CHUNKS = 2;

/** One file of a diff: a header that opens and closes it, facts about it, and its lines. */
export const DiffFileView = memo(function DiffFileView(props: {
  readonly file: DiffFile;
  readonly mode: DiffMode;
  readonly isOpen: boolean;
  onToggle(id: string): void;
}) {
  const { file, mode, isOpen, onToggle } = props;
  const bodyId = useId();
  const path = showPath(file.path);
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  const kind = KINDS[file.kind];
  return (
    <article aria-label={path} className="diff-file border-t border-line">
      <h3 className="diff-file-header">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={bodyId}
          onClick={() => onToggle(file.id)}
          className="flex w-full items-center gap-2 px-2 py-1 text-left hover:bg-sunken"
        >
          <Chevron aria-hidden className="size-3.5 shrink-0 text-muted" />
          <span className="min-w-0 font-mono text-xs font-medium break-all">
            {file.oldPath !== null && <span className="text-muted">{showPath(file.oldPath)} → </span>}
            {path}
          </span>
          {kind !== null && (
            <span className="shrink-0 rounded border border-line px-1 text-xs text-muted">{kind}</span>
          )}
          <span className="ml-auto shrink-0 text-xs">
            {file.isBinary ? (
              <span className="text-muted">binary</span>
            ) : (
              file.hunks.length > 0 && <LineCounts added={file.added} removed={file.removed} />
            )}
          </span>
        </button>
      </h3>
      <div id={bodyId} hidden={!isOpen}>
        {isOpen && <FileBody file={file} mode={mode} />}
      </div>
    </article>
  );
});

function FileBody({ file, mode }: { readonly file: DiffFile; readonly mode: DiffMode }) {
  const [pages, setPages] = useState(1);
  const isColoured = useMemo(() => canColour(file), [file]);
  const getTokens = useMemo(() => {
    const language = languageOf(file.path);
    return file.hunks.map(hunk => (isColoured ? once(() => highlightHunk(hunk, language)) : null));
  }, [file, isColoured]);
  const chunks = useMemo(
    () => file.hunks.flatMap((hunk, index) => splitHunk(hunk, index, mode, getTokens[index] ?? null)),
    [file, mode, getTokens],
  );
  const shown: DiffChunk[] = [];
  let rows = 0;
  let hidden = 0;
  for (const chunk of chunks) {
    if (rows < pages * ROW_PAGE) {
      shown.push(chunk);
      rows += chunk.rows;
    } else hidden += chunk.rows;
  }
  return (
    <>
      {file.facts.map(fact => (
        <p key={fact} className="px-3 py-1 text-xs text-muted">
          {fact}
        </p>
      ))}
      {file.isReordered && (
        <p className="bg-warn-soft px-3 py-1 text-xs text-warn">
          Some changed lines contain invisible characters that reorder text: what runs may differ from what
          you see here.
        </p>
      )}
      {!isColoured && (
        <p className="px-3 py-1 text-xs text-muted">
          No colours or word marks: the file has more than {MAX_COLOURED_LINES.toLocaleString('en')} lines or{' '}
          {MAX_COLOURED_CHARACTERS.toLocaleString('en')} characters here, and colouring it would hold up the
          window.
        </p>
      )}
      {shown.map((chunk, index) => (
        <div key={chunk.key}>
          {chunk.heading !== null && <p className="diff-hunk-heading">{chunk.heading}</p>}
          <DiffChunkView
            chunk={chunk}
            path={showPath(file.path)}
            mode={mode}
            kind={file.kind}
            isEager={index < EAGER_CHUNKS}
          />
        </div>
      ))}
      {hidden > 0 && (
        <button
          type="button"
          onClick={() => setPages(pages + 1)}
          className="w-full border-t border-line px-3 py-2 text-left text-xs text-accent hover:bg-sunken"
        >
          Show {Math.min(hidden, ROW_PAGE).toLocaleString('en')} more of {hidden.toLocaleString('en')} lines
        </button>
      )}
    </>
  );
}

function splitHunk(
  hunk: HunkData,
  index: number,
  mode: DiffMode,
  getTokens: (() => HunkTokens) | null,
): readonly DiffChunk[] {
  const changes = mode === 'split' ? pairChanges(hunk.changes) : hunk.changes;
  const chunks: DiffChunk[] = [];
  let start = 0;
  while (start < changes.length || chunks.length === 0) {
    let end = Math.min(changes.length, start + CHUNK_ROWS);
    // A pair of lines stays in one table, because otherwise its halves would be on two rows.
    if (changes[end - 1]?.type === 'delete' && changes[end]?.type === 'insert') end += 1;
    chunks.push({
      hunks: [{ ...hunk, changes: changes.slice(start, end) }],
      rows: end - start,
      heading: start === 0 ? hunk.content : null,
      getTokens,
      key: `${index}:${start}`,
    });
    start = end;
  }
  return chunks;
}
