/** Lines added and removed, for eyes and screen readers. */
export function LineCounts({ added, removed }: { readonly added: number; readonly removed: number }) {
  return (
    <span className="tabular">
      <span className="text-keep">
        <span aria-hidden>+</span>
        {added.toLocaleString('en')}
        <span className="sr-only"> added</span>
      </span>{' '}
      <span className="text-crash">
        <span aria-hidden>−</span>
        {removed.toLocaleString('en')}
        <span className="sr-only"> removed</span>
      </span>
    </span>
  );
}
