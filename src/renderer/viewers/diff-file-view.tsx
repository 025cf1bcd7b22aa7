import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo, useId, useMemo, useState } from 'react';
import { Diff, Hunk, type HunkData, type HunkTokens } from 'react-diff-view';
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

export type DiffMode = 'unified' | 'split';

const KINDS: Readonly<Record<DiffFile['kind'], string | null>> = {
  add: 'new',
  delete: 'deleted',
  modify: null,
  rename: 'renamed',
  copy: 'copied',
};

/** Rows shown at first, and more with each press: a table of all rows of a huge file takes the window seconds. */
const ROW_PAGE = 3_000;
/** Rows of one table. The browser skips the layout of whole tables that are out of sight. */
const CHUNK_ROWS = 150;
const ROW_PIXELS = 19;

/** One file of a diff: a header that opens and closes it, what is to say about it, and its lines. */
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
      <h4 className="diff-file-header">
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
              <LineCounts added={file.added} removed={file.removed} />
            )}
          </span>
        </button>
      </h4>
      <div id={bodyId} hidden={!isOpen}>
        {isOpen && <FileBody file={file} mode={mode} />}
      </div>
    </article>
  );
});

/** What one table shows of one hunk. */
type Chunk = {
  readonly hunk: HunkData;
  /** The header of the hunk, at its first chunk. */
  readonly heading: string | null;
  readonly tokens: HunkTokens | null;
  readonly key: string;
};

function FileBody({ file, mode }: { readonly file: DiffFile; readonly mode: DiffMode }) {
  const [pages, setPages] = useState(1);
  const isColoured = useMemo(() => canColour(file), [file]);
  const tokens = useMemo(() => {
    const language = languageOf(file.path);
    return isColoured ? file.hunks.map(hunk => highlightHunk(hunk, language)) : null;
  }, [file, isColoured]);
  const chunks = useMemo(
    () => file.hunks.flatMap((hunk, index) => splitHunk(hunk, index, mode, tokens?.[index] ?? null)),
    [file, mode, tokens],
  );
  const shown: Chunk[] = [];
  let rows = 0;
  let hidden = 0;
  for (const chunk of chunks) {
    if (rows < pages * ROW_PAGE) {
      shown.push(chunk);
      rows += chunk.hunk.changes.length;
    } else hidden += chunk.hunk.changes.length;
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
          Some changed lines hold invisible characters that turn text around: what runs may read differently
          here.
        </p>
      )}
      {!isColoured && (
        <p className="px-3 py-1 text-xs text-muted">
          Without colours and word marks: the file has more than {MAX_COLOURED_LINES.toLocaleString('en')}{' '}
          lines or {MAX_COLOURED_CHARACTERS.toLocaleString('en')} characters here, and colouring it would hold
          up the window.
        </p>
      )}
      {shown.map(chunk => (
        <div key={chunk.key}>
          {chunk.heading !== null && <p className="diff-hunk-heading">{chunk.heading}</p>}
          <div
            className="diff-chunk"
            style={{ containIntrinsicSize: `auto ${chunk.hunk.changes.length * ROW_PIXELS}px` }}
          >
            <Diff
              viewType={mode}
              diffType={file.kind}
              hunks={[chunk.hunk]}
              tokens={chunk.tokens}
              optimizeSelection
            >
              {hunks => hunks.map(hunk => <Hunk key={chunk.key} hunk={hunk} />)}
            </Diff>
          </div>
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
  tokens: HunkTokens | null,
): readonly Chunk[] {
  const changes = mode === 'split' ? pairChanges(hunk.changes) : hunk.changes;
  const chunks: Chunk[] = [];
  let start = 0;
  while (start < changes.length || chunks.length === 0) {
    let end = Math.min(changes.length, start + CHUNK_ROWS);
    // A pair stays in one table, else its halves would stand on two rows.
    if (changes[end - 1]?.type === 'delete' && changes[end]?.type === 'insert') end += 1;
    chunks.push({
      hunk: { ...hunk, changes: changes.slice(start, end) },
      heading: start === 0 ? hunk.content : null,
      tokens,
      key: `${index}:${start}`,
    });
    start = end;
  }
  return chunks;
}
