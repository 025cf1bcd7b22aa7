/** How programs say what ended them where there is no Python traceback, the surest first. */
const CAUSES: readonly RegExp[] = [
  // Node and Java.
  /^(?:Uncaught )?(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[\w{1,60}\])?: \S|^Exception in thread "/,
  // Rust; the next line says why.
  /^thread '[^']{1,80}' (?:\(\d{1,10}\) )?panicked at /,
  // Go.
  /^(?:panic|fatal error): \S/,
  // Compilers of C and Rust; an error with a number is a measurement.
  /^(?:[^\s:]{1,200}:\d{1,7}:(?:\d{1,7}:)? )?(?:fatal )?error(?:\[\w{1,10}\])?: (?![-+.\d])/,
  /^\.\/[^\s:]{1,200}\.go:\d{1,7}:\d{1,7}: \S/,
  // A shell.
  /^(?:\/bin\/)?(?:ba|da|z)?sh: (?:line )?\d{1,6}: \S/,
];

/** The first line that says why a program failed, because later ones may follow from it; null if none does. */
export function findCause(lines: readonly string[]): string | null {
  for (const form of CAUSES) {
    const at = lines.findIndex(line => form.test(line));
    const found = lines[at];
    if (found === undefined) continue;
    return found.endsWith(':') ? `${found} ${lines[at + 1]?.trim() ?? ''}`.trim() : found;
  }
  return null;
}
