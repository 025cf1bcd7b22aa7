import type { ReactNode } from 'react';
import { cutInMiddle } from '../../shared/cut-in-middle.ts';

/**
 * A hypothesis in one line, cut in the middle if it is too long. The parent is a flex box.
 * @param shown renders each of the two parts, if more than plain text
 */
export function OneLine({
  text,
  shown = part => part,
}: {
  readonly text: string;
  readonly shown?: (part: string) => ReactNode;
}) {
  const [head, tail] = cutInMiddle(text);
  return (
    <>
      <span className="min-w-[3ch] shrink-[9999] cut-off">{shown(head)}</span>
      {tail === '' ? null : <span className="min-w-0 cut-off whitespace-pre">{shown(tail)}</span>}
    </>
  );
}
