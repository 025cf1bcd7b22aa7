import { useLayoutEffect, useRef, useState } from 'react';

/** Gives an element's content width in CSS pixels, 0 before it is known; put `ref` on the element. */
export function useWidth<E extends HTMLElement = HTMLDivElement>(): {
  readonly ref: React.RefObject<E | null>;
  readonly width: number;
} {
  const { ref, pixels } = useExtent<E>('width');
  return { ref, width: pixels };
}

/** Gives an element's content height; see {@link useWidth}. */
export function useHeight<E extends HTMLElement = HTMLDivElement>(): {
  readonly ref: React.RefObject<E | null>;
  readonly height: number;
} {
  const { ref, pixels } = useExtent<E>('height');
  return { ref, height: pixels };
}

function useExtent<E extends HTMLElement>(side: 'width' | 'height') {
  const ref = useRef<E | null>(null);
  const [pixels, setPixels] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    setPixels(side === 'width' ? element.clientWidth : element.clientHeight);
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setPixels(Math.floor(entry.contentRect[side]));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [side]);
  return { ref, pixels };
}
