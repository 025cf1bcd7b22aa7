import { cutInMiddle } from './cut-in-middle.ts';

/** A hypothesis in one line: where it is too long it is cut in its middle. The parent is a flex box. */
export function OneLine({ text }: { readonly text: string }) {
  const [head, tail] = cutInMiddle(text);
  return (
    <>
      <span className="min-w-[3ch] shrink-[9999] truncate">{head}</span>
      {tail === '' ? null : <span className="min-w-0 truncate whitespace-pre">{tail}</span>}
    </>
  );
}
