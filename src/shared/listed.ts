/** The first items, and how many are left. A single one is never left: "1 more" takes as much room as its name. */
export function firstOf<Item>(
  items: readonly Item[],
  most: number,
): { readonly shown: readonly Item[]; readonly left: number } {
  const shown = items.slice(0, items.length === most + 1 ? items.length : most);
  return { shown, left: items.length - shown.length };
}

/** `a, b and 3 more`. */
export function listed(words: readonly string[], most: number): string {
  const { shown, left } = firstOf(words, most);
  return shown.join(', ') + (left > 0 ? ` and ${left} more` : '');
}
