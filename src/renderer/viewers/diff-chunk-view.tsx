import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { Diff, Hunk, type HunkData, type HunkTokens } from 'react-diff-view';
import { useLineRemarks } from './diff-remarks.tsx';
import type { DiffFile } from './parse-diff.ts';

export type DiffMode = 'unified' | 'split';

/** Rows of one table: part of a hunk. */
export type DiffChunk = {
  /** Always one; a list because the table component compares lists. */
  readonly hunks: HunkData[];
  readonly rows: number;
  /** The hunk's header, in its first chunk. */
  readonly heading: string | null;
  /** Null if the file has no colours. */
  readonly getTokens: (() => HunkTokens) | null;
  readonly key: string;
};

const ROW_PIXELS = 19;
const NEAR_PIXELS = 2_000;

/**
 * One table. It is created when it first comes near the window and then stays; until then, a space of about its
 * height replaces it. The browser skips the layout of tables that are out of view.
 */
export const DiffChunkView = memo(function DiffChunkView(props: {
  readonly chunk: DiffChunk;
  /** The file's path, as shown. */
  readonly path: string;
  readonly mode: DiffMode;
  readonly kind: DiffFile['kind'];
  readonly isEager: boolean;
}) {
  const { chunk, path, mode, kind, isEager } = props;
  const [isNear, setIsNear] = useState(isEager);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isNear || place.current === null) return;
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) setIsNear(true);
      },
      { rootMargin: `${NEAR_PIXELS}px 0px`, scrollMargin: `${NEAR_PIXELS}px 0px` },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [isNear]);
  const height = `${chunk.rows * ROW_PIXELS}px`;
  if (!isNear) return <div ref={place} style={{ height }} />;
  return (
    <div className="diff-chunk" style={{ containIntrinsicSize: `auto ${height}` }}>
      <Table chunk={chunk} path={path} mode={mode} kind={kind} />
    </div>
  );
});

function Table(props: {
  readonly chunk: DiffChunk;
  readonly path: string;
  readonly mode: DiffMode;
  readonly kind: DiffFile['kind'];
}) {
  const { chunk, path, mode, kind } = props;
  const remarks = useLineRemarks(path, chunk.hunks);
  const tokens = useMemo(() => chunk.getTokens?.() ?? null, [chunk]);
  return (
    <Diff viewType={mode} diffType={kind} hunks={chunk.hunks} tokens={tokens} optimizeSelection {...remarks}>
      {hunks => hunks.map(hunk => <Hunk key={chunk.key} hunk={hunk} />)}
    </Diff>
  );
}
