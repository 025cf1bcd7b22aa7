import { posix } from 'node:path';
import { AUTORESEARCH_FILES } from './autoresearch.ts';

/** How a repository lays this loop out. `folder` is '' for its top. */
export type Shape =
  | {
      readonly kind: 'program';
      readonly folder: string;
      readonly program: string;
      readonly readme: string | null;
    }
  | { readonly kind: 'pi'; readonly folder: string; readonly session: PiSession };

/** pi-autoresearch's files, by purpose (npm 1.6.0, `paths.ts`); null for a missing one. */
export type PiSession = Readonly<
  Record<'prompt' | 'measure' | 'checks' | 'config' | 'log', string | null>
> & {
  readonly hooks: readonly string[];
};

/** Newer names first. */
export const PI_FILES = {
  prompt: ['.auto/prompt.md', 'autoresearch.md'],
  measure: ['.auto/measure.sh', 'autoresearch.sh'],
  checks: ['.auto/checks.sh', 'autoresearch.checks.sh'],
  config: ['.auto/config.json', 'autoresearch.config.json'],
  log: ['.auto/log.jsonl', 'autoresearch.jsonl'],
  ideas: ['.auto/ideas.md', 'autoresearch.ideas.md'],
} as const;
const PI_HOOKS = [
  ['.auto/hooks/before.sh', 'autoresearch.hooks/before.sh'],
  ['.auto/hooks/after.sh', 'autoresearch.hooks/after.sh'],
] as const;

/** Pairs of names: the file that is edited, and the one that measures it. */
const PAIRS: readonly (readonly [edited: string, measured: string])[] = [
  ['train.py', 'prepare.py'],
  ['strategy.py', 'backtest.py'],
  ['kernel.py', 'bench.py'],
  ['algo.py', 'test.py'],
];

/** A deeper folder is someone's vendored copy, or one example of many. */
const MAX_DEPTH = 3;
const NOT_HERE = /(?:^|\/)(?:node_modules|vendor|third_party|site-packages|dist|build|\.[^/]+)(?:\/|$)/;

/** The shapes at the top, else those of the only folder that has one; only the user can choose between several folders. */
export function findShapes(paths: readonly string[]): {
  readonly shapes: readonly Shape[];
  readonly folders: readonly string[];
} {
  const known = new Set(paths);
  const atTop = shapesIn('', known, paths);
  if (atTop.length > 0) return { shapes: atTop, folders: [''] };
  const folders = new Set(
    paths
      .filter(
        path =>
          /(?:^|\/)(?:program\.md|autoresearch\.sh|autoresearch\.md)$/i.test(path) ||
          path.endsWith('/.auto/measure.sh'),
      )
      .map(path => posix.dirname(path.replace(/\/\.auto\/measure\.sh$/, '/x')))
      .filter(folder => folder !== '.' && folder.split('/').length <= MAX_DEPTH && !NOT_HERE.test(folder)),
  );
  const found = [...folders].map(folder => ({ folder, shapes: shapesIn(folder, known, paths) }));
  const candidates = found.filter(({ shapes }) => shapes.length > 0);
  const [only, ...others] = candidates;
  return {
    shapes: only && others.length === 0 ? only.shapes : [],
    folders: candidates.map(({ folder }) => folder),
  };
}

/** Whether the files beside a program are those of upstream, or a pair like them. */
export function findPair(folder: string, has: (path: string) => boolean): readonly [string, string] | null {
  const pair = PAIRS.find(names => names.every(name => has(posix.join(folder, name))));
  return pair ? [posix.join(folder, pair[0]), posix.join(folder, pair[1])] : null;
}

/** The files of upstream's three that are missing at the top. */
export function missingOfUpstream(paths: readonly string[]): readonly string[] {
  return AUTORESEARCH_FILES.filter(file => !paths.includes(file));
}

function shapesIn(folder: string, known: ReadonlySet<string>, paths: readonly string[]): readonly Shape[] {
  const pi = findPi(folder, known);
  const program = findProgram(folder, paths);
  return [...(pi ? [pi] : []), ...(program ? [program] : [])];
}

function findPi(folder: string, known: ReadonlySet<string>): Shape | null {
  const at = (name: string) => posix.join(folder, name);
  // As in its own reader: if one file of the newer layout exists, the older layout is ignored.
  const isNew = [...Object.values(PI_FILES), ...PI_HOOKS].some(([name]) => known.has(at(name)));
  const pick = ([current, legacy]: readonly [string, string]) => {
    const path = at(isNew ? current : legacy);
    return known.has(path) ? path : null;
  };
  const session: PiSession = {
    prompt: pick(PI_FILES.prompt),
    measure: pick(PI_FILES.measure),
    checks: pick(PI_FILES.checks),
    config: pick(PI_FILES.config),
    log: pick(PI_FILES.log),
    hooks: PI_HOOKS.map(pick).filter(path => path !== null),
  };
  return session.measure === null ? null : { kind: 'pi', folder, session };
}

function findProgram(folder: string, paths: readonly string[]): Shape | null {
  const below = folder === '' ? '' : `${folder}/`;
  const beside = paths.filter(path => path.startsWith(below) && !path.slice(below.length).includes('/'));
  const named = (pattern: RegExp) => beside.filter(path => pattern.test(path.slice(below.length)));
  const programs = named(/^program\.md$/i);
  const program = programs[0] ?? only(named(/^\w+[_-]program\.md$|^program[_-]\w+\.md$/i));
  if (program === undefined) return null;
  return { kind: 'program', folder, program, readme: named(/^readme\.md$/i)[0] ?? null };
}

function only<T>(all: readonly T[]): T | undefined {
  return all.length === 1 ? all[0] : undefined;
}
