import { useCallback, useEffect, useRef, useState } from 'react';
import type { LogPiece, RunView } from '../../../shared/notebook.ts';
import { explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { holdPieces, type LogSearch } from '../../viewers/log-lines.ts';
import { LogView } from '../../viewers/log-view.tsx';

/** How much of a log is held at a time. */
const HELD_BYTES = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const FOLLOW_MS = 500;

type Held = { readonly pieces: readonly LogPiece[]; readonly size: number; readonly isComplete: boolean };
const NOTHING: Held = { pieces: [], size: 0, isComplete: false };

/** The log of one run: holds a part of it that moves with the reader. */
export function RunLog({
  study,
  n,
  run,
}: {
  readonly study: string;
  readonly n: number;
  readonly run: RunView;
}) {
  const { k } = run;
  const [held, setHeld] = useState<Held>(NOTHING);
  const [isLoading, setIsLoading] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const [hits, setHits] = useState<LogSearch | null>(null);
  const [isFollowing, setIsFollowing] = useState(run.outcome === null);
  const busy = useRef(false);
  const latest = useRef(held);
  latest.current = held;

  const read = useCallback(
    async (
      place: { from: number | null; to?: number },
      join: (held: Held, piece: LogPiece) => readonly LogPiece[],
    ) => {
      if (busy.current) return;
      busy.current = true;
      setIsLoading(true);
      try {
        const piece = await getClient().experiments.log({ study, n, k, ...place });
        setHeld(before => ({
          pieces: join(before, piece).filter(part => part.lines.length > 0),
          size: piece.size,
          isComplete: piece.isComplete,
        }));
        setError(null);
      } catch (caught) {
        setError(explain(caught));
      }
      busy.current = false;
      setIsLoading(false);
    },
    [study, n, k],
  );
  const readEnd = useCallback(() => read({ from: null }, (_, piece) => [piece]), [read]);
  const readLater = useCallback(() => {
    const last = latest.current.pieces.at(-1);
    if (!last) return readEnd();
    return read({ from: last.to }, ({ pieces }, piece) =>
      holdPieces([...pieces, piece], { keep: 'last', bytes: HELD_BYTES }),
    );
  }, [read, readEnd]);

  useEffect(() => {
    void readEnd();
  }, [readEnd]);
  const isGrowing = !held.isComplete && isFollowing;
  useEffect(() => {
    if (!isGrowing) return;
    const timer = setInterval(() => void readLater(), FOLLOW_MS);
    return () => clearInterval(timer);
  }, [isGrowing, readLater]);

  const search = async (words: string) => {
    if (words === '') return setHits(null);
    setHits({ kind: 'searching', words });
    try {
      const found = await getClient().experiments.searchLog({ study, n, k, words });
      setHits({ kind: 'found', words, ...found });
    } catch (caught) {
      setHits({ kind: 'failed', words, message: explain(caught) });
    }
  };
  return (
    <LogView
      pieces={held.pieces}
      size={held.size}
      isComplete={held.isComplete}
      isLoading={isLoading}
      error={error}
      hits={hits}
      label={`Log of experiment ${n}${k > 0 ? `, run ${k + 1}` : ''}`}
      onEarlier={() => {
        const first = held.pieces[0];
        if (!first || first.from === 0) return;
        const from = Math.max(0, first.from - PIECE_BYTES);
        void read({ from, to: first.from }, ({ pieces }, piece) =>
          holdPieces([piece, ...pieces], { keep: 'first', bytes: HELD_BYTES }),
        );
      }}
      onLater={() => void readLater()}
      onEnd={() => void readEnd()}
      onFollow={setIsFollowing}
      onSearch={words => void search(words)}
      onHit={hit => void read({ from: Math.max(0, hit.offset - PIECE_BYTES / 2) }, (_, piece) => [piece])}
    />
  );
}
