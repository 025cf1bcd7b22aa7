import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState, type WheelEvent } from 'react';
import { joinPieces, locateHit } from './log-lines.ts';
import type { LogViewProps } from './log-view-props.ts';

const ROW_PIXELS = 19;
/** Closer than this to an edge of the held part, more is requested. */
const EDGE_PIXELS = 600;
/** The caller may ignore a request while another is in progress. It is repeated after this time. */
const ASK_AGAIN_MS = 1_000;
const MAX_TRIES = 3;
/** If the followed log grows faster than its pieces arrive, the view jumps to the end. */
const FAR_BEHIND_BYTES = 1024 * 1024;

/** A target that may have to be loaded before it can be shown. */
type Wish = ({ readonly kind: 'end' } | { readonly kind: 'hit'; readonly index: number }) & { tries: number };

/** The reader's position in a log: visible rows, following, and requests for missing parts. */
export function useLogPosition(props: LogViewProps, wraps: boolean) {
  const { pieces, isComplete, size, isLoading, hits, error } = props;
  const rows = useMemo(() => joinPieces(pieces), [pieces]);
  const [isFollowing, setIsFollowing] = useState(!isComplete);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const scroller = useRef<HTMLElement>(null);
  const lastTop = useRef(0);
  const hasOpened = useRef(false);
  const wished = useRef<Wish>(null);
  const asked = useRef({ earlier: { edge: -1, at: 0 }, later: { edge: -1, at: 0 } });

  const virtualizer = useVirtualizer<HTMLElement, HTMLElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    getItemKey: index => rows[index]?.key ?? index,
    // Rows added above push the others down; this keeps the reader's row in place.
    anchorTo: 'end',
    overscan: 30,
    paddingStart: 8,
    paddingEnd: 8,
  });
  const first = pieces[0];
  const last = pieces.at(-1);
  const holdsEnd = last === undefined || last.to >= size;

  const follow = (next: boolean) => {
    setIsFollowing(next);
    if (next !== isFollowing) props.onFollow?.(next);
  };

  const isNew = (side: 'earlier' | 'later', edge: number) => {
    const now = performance.now();
    const before = asked.current[side];
    if (before.edge === edge && now - before.at < ASK_AGAIN_MS) return false;
    asked.current[side] = { edge, at: now };
    return true;
  };
  const askNearEdge = (direction: 'up' | 'down') => {
    const element = scroller.current;
    if (element === null || isLoading || error !== null || first === undefined || last === undefined) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    if (direction === 'up') {
      if (scrollTop < EDGE_PIXELS && first.from > 0 && isNew('earlier', first.from)) props.onEarlier();
      return;
    }
    // While following, new output arrives without a request.
    const isNear = scrollHeight - scrollTop - clientHeight < EDGE_PIXELS;
    if (isNear && !holdsEnd && !isFollowing && isNew('later', last.to)) props.onLater();
  };

  /** Shows the target if it is held; otherwise requests it. */
  const grant = (wish: Wish): boolean => {
    if (wish.kind === 'end' && holdsEnd) {
      wished.current = null;
      if (rows.length > 0) virtualizer.scrollToEnd();
      return true;
    }
    const hit = wish.kind === 'hit' && hits?.kind === 'found' ? hits.hits[wish.index] : undefined;
    if (wish.kind === 'hit' && hits?.kind === 'found') {
      const row = locateHit(pieces, hits, wish.index);
      if (row !== null) {
        wished.current = null;
        virtualizer.scrollToIndex(row, { align: 'center' });
        return true;
      }
    }
    if (wish.kind === 'hit' && hit === undefined) wished.current = null;
    else if (!isLoading && error === null && wish.tries < MAX_TRIES) {
      wish.tries += 1;
      if (hit !== undefined) props.onHit(hit);
      else props.onEnd();
    }
    return false;
  };
  const showHit = (index: number) => {
    follow(false);
    wished.current = { kind: 'hit', index, tries: 0 };
    grant(wished.current);
  };
  const jumpToEnd = () => {
    if (!isComplete) follow(true);
    wished.current = { kind: 'end', tries: 0 };
    grant(wished.current);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: these are what moves the end or brings what was asked for
  useLayoutEffect(() => {
    const element = scroller.current;
    if (rows.length === 0 || element === null) return;
    const isFirst = !hasOpened.current;
    hasOpened.current = true;
    if (wished.current !== null && grant(wished.current)) return;
    // A log opens at its end, where the results and the reasons of a crash are.
    if (isFollowing || (isFirst && holdsEnd)) virtualizer.scrollToEnd();
    else setIsAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < 2 * ROW_PIXELS);
    // Nothing is left to follow, and anything loaded from now on was requested by the reader.
    if (isFollowing && isComplete) follow(false);
    if (isFollowing && !isComplete && !isLoading && last !== undefined && size - last.to > FAR_BEHIND_BYTES)
      props.onEnd();
  }, [rows, wraps, isFollowing, isComplete, isLoading]);

  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const below = scrollHeight - scrollTop - clientHeight;
    const movedUp = scrollTop < lastTop.current - 1;
    const movedDown = scrollTop > lastTop.current + 1;
    lastTop.current = scrollTop;
    setIsAtEnd(below < 2 * ROW_PIXELS);
    if (movedUp && below > 2 * ROW_PIXELS && isFollowing) follow(false);
    if (movedDown && below < 2 && holdsEnd && !isComplete && !isFollowing) follow(true);
    if (movedUp) askNearEdge('up');
    if (movedDown) askNearEdge('down');
  };
  // At an edge nothing scrolls, but the reader still tries to.
  const onWheel = (event: WheelEvent) => askNearEdge(event.deltaY < 0 ? 'up' : 'down');
  const onKeyDown = (event: KeyboardEvent) => {
    if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) askNearEdge('up');
    if (['ArrowDown', 'PageDown', 'End'].includes(event.key)) askNearEdge('down');
  };

  /** For the buttons: to the edge of the held part, and beyond it. */
  const goEarlier = () => {
    follow(false);
    virtualizer.scrollToOffset(0);
    props.onEarlier();
  };
  const goLater = () => {
    virtualizer.scrollToEnd();
    props.onLater();
  };
  const topRow = () => virtualizer.getVirtualItemForOffset(virtualizer.scrollOffset ?? 0)?.index ?? 0;

  return {
    rows,
    virtualizer,
    scroller,
    first,
    last,
    holdsEnd,
    isFollowing,
    isAtEnd,
    follow,
    showHit,
    jumpToEnd,
    goEarlier,
    goLater,
    topRow,
    handlers: { onScroll, onWheel, onKeyDown },
  };
}
