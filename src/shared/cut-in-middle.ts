/** If the last number is further from the end than this, the text before it is not cut to keep it. */
const MOST_TAIL = 44;
/** How much of the end is kept if there is no number near it. */
const PLAIN_TAIL = 16;

/**
 * Splits a line in two at a space: if there is no room for all of it, the end of the first part is cut, so that the
 * second stays readable. The second part starts at the last number near the end, because that is usually what
 * changed; otherwise it is the last few words. It is empty if there is no suitable space.
 */
export function cutInMiddle(line: string): readonly [head: string, tail: string] {
  // A number with its error is what the search expects, and not what changed.
  if (/ ± \S+$/.test(line)) return [line, ''];
  const blanks = [...line.matchAll(/ +/g)].map(({ index }) => index);
  const near = blanks.filter(at => line.length - at <= MOST_TAIL);
  const number = near.findLast(at => /^ +\S*\d/.test(line.slice(at)));
  const cut = number ?? near.find(at => line.length - at <= PLAIN_TAIL) ?? line.length;
  return [line.slice(0, cut), line.slice(cut)];
}
