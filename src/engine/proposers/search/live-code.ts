/** Languages whose comments are those of C. Their preprocessor, if they have one, is the one of C. */
const LIKE_C = /\.(?:rs|go|[cm]?[jt]sx?|java|kts?|swift|scala|cs|php|dart|zig|v|d)$/i;
/** C, C++, Objective-C, CUDA, HIP, OpenCL and shaders. */
const C_FILE = /\.(?:[ch]|cc|cpp|cxx|hh|hpp|hxx|cuh?|hip|cl|mm?|metal|glsl|comp)$/i;

/** An unfinished string ends with its line, so that no text is read twice. */
const TOKENS_OF_C = /"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|\/\/[^\n]*|(\/\*[\s\S]*?(?:\*\/|$))/g;
const TOKENS_OF_JULIA = /"(?:\\.|[^"\\\n])*"?|(#=[\s\S]*?(?:=#|$))|#[^\n]*/g;

/** Not a field, and not an option in a text. */
const ASSIGNED =
  /(?<![\w.>-])([A-Za-z_]\w*)[ \t]*(?::[ \t]*[\w.]+[ \t]*)?(?:(?:[-+*/%|&^]|<<|>>)?=(?![=>])|\+\+|--)/g;

export function isOfC(file: string): boolean {
  return C_FILE.test(file);
}

/**
 * A file's lines, blank where nothing on them reaches the compiler: the lines of a comment after its first, the
 * branches of `#if 0` and `#if 1` that are not taken, and lines that continue a definition. Other conditions are
 * not known. Their lengths stay.
 */
export function findLiveLines(file: string, source: string): readonly string[] {
  const tokens = tokensOf(file);
  const lines = (tokens ? withoutLaterLines(source, tokens) : source).split('\n');
  return isOfC(file) ? withoutDeadBranches(lines) : lines;
}

/** How often a file whose comments are those of C gives a name a value with `=`, `+=`, `++` and the like. */
export function countAssignments(file: string, source: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (tokensOf(file) !== TOKENS_OF_C) return counts;
  const code = source.replace(TOKENS_OF_C, ' ');
  for (const [, name = ''] of code.matchAll(ASSIGNED)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function tokensOf(file: string): RegExp | null {
  if (isOfC(file) || LIKE_C.test(file)) return TOKENS_OF_C;
  return /\.jl$/i.test(file) ? TOKENS_OF_JULIA : null;
}

/** Keeps the first line of each comment, because it may name the choices of the value before it. */
function withoutLaterLines(source: string, tokens: RegExp): string {
  return source.replace(tokens, (token, comment?: string) => {
    const end = comment === undefined ? -1 : token.indexOf('\n');
    return end < 0 ? token : token.slice(0, end) + blank(token.slice(end));
  });
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** A condition whose lines are being read. */
type Branch = { readonly isLive: boolean; readonly isTaken: boolean; readonly isWithinLive: boolean };

function withoutDeadBranches(lines: readonly string[]): readonly string[] {
  const open: Branch[] = [];
  let isContinued = false;
  return lines.map(line => {
    const isWhole = !isContinued;
    isContinued = /\\\r?$/.test(line);
    if (!isWhole) return blank(line);
    const [, word, condition = ''] = /^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(\d*)/.exec(line) ?? [];
    const isWithinLive = open.at(-1)?.isLive ?? true;
    if (word === undefined) return isWithinLive ? line : blank(line);
    if (word === 'endif') open.pop();
    else if (word.startsWith('if')) open.push(enter(condition, false, isWithinLive));
    else {
      const last = open.pop();
      if (last) open.push(enter(condition, last.isTaken, last.isWithinLive));
    }
    return blank(line);
  });
}

/** @param isTaken whether a branch before it certainly was the one */
function enter(condition: string, isTaken: boolean, isWithinLive: boolean): Branch {
  const isNever = /^0+$/.test(condition);
  const isAlways = condition !== '' && !isNever;
  return { isLive: isWithinLive && !isTaken && !isNever, isTaken: isTaken || isAlways, isWithinLive };
}
