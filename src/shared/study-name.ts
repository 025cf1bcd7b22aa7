export const LONGEST_TAG = 64;

/** Names of studies are stricter than git's ref names, so that they need no quoting in a path or a table. */
export function isValidTag(tag: string): boolean {
  if (tag.length > LONGEST_TAG) return false;
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(tag) && !tag.includes('..') && !/(\.lock|\.)$/.test(tag);
}

export function describeBadTag(tag: string): string {
  return `"${tag}" cannot be the name of a study: use at most ${LONGEST_TAG} letters, digits, ".", "_" and "-", begin with a letter or digit, and do not end with "." or ".lock".`;
}
