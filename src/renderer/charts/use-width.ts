import { useLayoutEffect, useRef, useState } from 'react';

/** Gives an element's content width in CSS pixels, 0 before it is known; put `ref` on the element. */
export function useWidth<E extends HTMLElement = HTMLDivElement>(): {
  readonly ref: React.RefObject<E | null>;
  readonly width: number;
} {
  const ref = useRef<E | null>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    setWidth(Math.floor(element.clientWidth));
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
