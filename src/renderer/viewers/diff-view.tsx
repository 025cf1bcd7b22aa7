import { sum } from 'd3-array';
import { ChevronsDownUp, ChevronsUpDown, Columns2, Rows2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { counted } from '../../shared/numbers.ts';
import type { DiffMode } from './diff-chunk-view.tsx';
import { DiffFileView } from './diff-file-view.tsx';
import { LineCounts } from './line-counts.tsx';
import { type DiffFile, parseDiff } from './parse-diff.ts';
import { ToolButton } from './tool-button.tsx';

export type { DiffMode };

export type DiffViewProps = {
  /** As git prints it. */
  readonly diff: string;
  /** Whether the diff continues beyond `diff`. */
  readonly isCut: boolean;
  readonly mode: DiffMode;
  onMode(mode: DiffMode): void;
  /** Accessible name. */
  readonly label: string;
};

/** A file with more changed lines starts closed. */
const MAX_OPEN_CHANGES = 2_000;
/** Files after this many lines also start closed, because opening everything would block the window. */
const MAX_OPEN_LINES = 4_000;

/**
 * A diff, file by file. A file's header stays visible while its container scrolls; a container with its own bar sets
 * `--diff-sticky-top`.
 */
export function DiffView({ diff, isCut, mode, onMode, label }: DiffViewProps) {
  const files = useMemo(() => parseDiff(diff), [diff]);
  const [open, setOpen] = useState(() => ({ diff, ids: initiallyOpen(files) }));
  if (open.diff !== diff) setOpen({ diff, ids: initiallyOpen(files) });
  const setIds = (ids: ReadonlySet<string>) => setOpen({ diff, ids });

  if (diff.trim() === '')
    return (
      <section aria-label={label} className="diff-view p-4 text-muted">
        The baseline is the unchanged code: no diff.
      </section>
    );
  if (files === null || files.length === 0)
    return (
      <section aria-label={label} className="diff-view">
        <p className="p-2 text-muted">This could not be read as a diff. It is shown as it came.</p>
        <pre className="viewer-code overflow-x-auto border-t border-line p-2 whitespace-pre-wrap">{diff}</pre>
        {isCut && <CutNote />}
      </section>
    );

  const added = sum(files, file => file.added);
  const removed = sum(files, file => file.removed);
  const toggle = (id: string) => {
    const ids = new Set(open.ids);
    if (!ids.delete(id)) ids.add(id);
    setIds(ids);
  };
  return (
    <section aria-label={label} className="diff-view">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-2 py-1.5">
        <p className="text-xs text-muted tabular">
          {counted(files.length, 'file')}, <LineCounts added={added} removed={removed} />
          {isCut && ' in the part that is shown'}
        </p>
        <div className="ml-auto flex items-center gap-1">
          <ToolButton
            label="Expand all files"
            icon={ChevronsUpDown}
            isDisabled={files.every(file => open.ids.has(file.id))}
            onPress={() => setIds(new Set(files.map(file => file.id)))}
          />
          <ToolButton
            label="Collapse all files"
            icon={ChevronsDownUp}
            isDisabled={open.ids.size === 0}
            onPress={() => setIds(new Set())}
          />
          <fieldset className="flex items-center rounded border border-line">
            <legend className="sr-only">Layout of the diff</legend>
            <ToolButton
              label="Removed and added lines in one column"
              icon={Rows2}
              isPressed={mode === 'unified'}
              onPress={() => onMode('unified')}
            >
              Unified
            </ToolButton>
            <ToolButton
              label="Removed and added lines side by side"
              icon={Columns2}
              isPressed={mode === 'split'}
              onPress={() => onMode('split')}
            >
              Split
            </ToolButton>
          </fieldset>
        </div>
      </div>
      {files.map(file => (
        <DiffFileView
          key={file.id}
          file={file}
          mode={mode}
          isOpen={open.ids.has(file.id)}
          onToggle={toggle}
        />
      ))}
      {isCut && <CutNote />}
    </section>
  );
}

function CutNote() {
  return (
    <p className="border-t border-line bg-warn-soft px-3 py-2 text-xs text-warn">
      The diff is too large to show in full. The rest is not shown.
    </p>
  );
}

function initiallyOpen(files: readonly DiffFile[] | null): ReadonlySet<string> {
  const ids = new Set<string>();
  let lines = 0;
  for (const file of files ?? []) {
    const size = sum(file.hunks, hunk => hunk.changes.length);
    if (file.added + file.removed > MAX_OPEN_CHANGES || lines + size > MAX_OPEN_LINES) continue;
    lines += size;
    ids.add(file.id);
  }
  return ids;
}
