/** A number further from the end than this is not kept at the cost of what stands before it. */
const MOST_TAIL = 44;
/** Without a number at the end: so much of the last words. */
const PLAIN_TAIL = 16;

/**
 * A line in two parts at a blank: where there is no room for all, the end of the first is cut, so that the second can
 * be read. The second begins at the last number near the end, for what was changed stands there; else it is the last
 * few words. It is empty where there is no blank to part at.
 */
export function cutInMiddle(line: string): readonly [head: string, tail: string] {
  const blanks = [...line.matchAll(/ +/g)].map(({ index }) => index);
  const near = blanks.filter(at => line.length - at <= MOST_TAIL);
  const number = near.findLast(at => /^ +\S*\d/.test(line.slice(at)));
  const cut = number ?? near.find(at => line.length - at <= PLAIN_TAIL) ?? line.length;
  return [line.slice(0, cut), line.slice(cut)];
}
