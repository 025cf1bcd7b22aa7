/** A path in one line: if it is too long, it is cut before its last name. The parent is a flex box. */
export function PathLine({ path }: { readonly path: string }) {
  const at = path.search(/[\\/][^\\/]+[\\/]*$/);
  return (
    <>
      <span className="min-w-[3ch] shrink-[9999] cut-off">{at < 0 ? path : path.slice(0, at)}</span>
      {at < 0 ? null : <span className="min-w-0 cut-off">{path.slice(at)}</span>}
    </>
  );
}
