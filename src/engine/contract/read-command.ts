import { posix } from 'node:path';
import type { Claim } from './claims.ts';
import { codeSpans, type Document, type Passage, readPassages, sourceOf } from './document.ts';
import type { TrackedPaths } from './tracked-paths.ts';

/** A command line from a text, as it would be run at the top of the repository. */
export type CommandLine = {
  readonly line: string;
  /** The committed file that it runs; null if it names none. */
  readonly script: string | null;
};

const RUNNERS = new Set(
  `uv python python3 bash sh make cargo go node npm npx pnpm yarn bun deno julia Rscript ruby bundle rake torchrun
   accelerate poetry pixi just dotnet java mvn gradle swift zig php perl elixir mix ctest pytest nix stack cabal
   wolframscript lua luajit dart flutter clojure lein sbt scala runghc dune crystal bazel ninja hatch pdm rye pipenv tox
   nox conda mamba micromamba tsx octave hyperfine`.split(/\s+/),
);
const LAUNCH =
  /\blaunch\b|\brun(?:s|ning)?\b.{0,40}\b(?:experiment|trial|training|train|benchmark|evaluat|script|backtest|test)|\bhow to run\b|\brun(?: it)?(?: with)?:|\brun command\b|\bexecute\b|\bmeasure\b|\b(?:evaluate|train)\b\W{1,8}run\b/i;
const ONCE =
  /\bprepar|\bdownload|\binstall|\bset ?up\b|\bonce\b|\bdashboard\b|\bplot|\banaly[sz]|\bsmoke\b|\bresume\b|\btell the (?:human|user)\b|\bverify\b|\bactivate\b/i;
const ONCE_SCRIPT = /prepare|set_?up|download|install|plot|analy[sz]|dashboard|serve|view|notebook/i;
/** "Run the experiment: python train.py > run.log 2>&1"; "make" and "go" also begin sentences: "go back to step 1". */
const BARE =
  /(?:^|:\s{1,4})((?:(?:uv run|python3?|bash|sh|cargo|node|go (?:run|test|build))\s[^`]{3,200}|make(?: -\w[\w-]*(?: \d+)?| \w+=\S+)*(?: [\w./-]+)?))$/;
/** A placeholder. */
const PLACEHOLDER = /<\w[^<>]{0,60}>|\{[^}]{0,60}\}|\.\.\.|…|\[[A-Z_]+\]/;

/** An option whose value is text for a log, and does not affect what is measured. */
const NOTE =
  /(\s--?(?:[\w-]{0,30}[_-])?(?:desc|description|notes?|message|msg|hypothesis|comment|rationale|summary)[= ]\s?)("[^"]{0,200}"|'[^']{0,200}'|<[^>]{1,100}>)/gi;
/** Text for the log in place of the placeholder. */
const SOME_WORDS = '"an experiment"';
/** "This runs `make all`" describes another command. */
const SAID_OF_ANOTHER = /\b(?:this|it|which|that)\s+(?:\w+\s+)?runs\s+`[^`]*`/gi;
/** A command of more lines than this is a script. */
const MAX_CONTINUED = 24;

/** How surely a text means a command: the loop's own, whose output is kept; how to run; in passing; only once. */
export const SURENESS = { kept: 4, launch: 3, passing: 2, once: 1 } as const;

/** Reads the commands that a text gives. */
export function readCommands(document: Document, tracked: TrackedPaths): readonly Claim<CommandLine>[] {
  const folder = posix.dirname(document.path) === '.' ? '' : posix.dirname(document.path);
  // A block of code that changes to another folder is about that folder.
  let isElsewhere = false;
  return joinContinued(readPassages(document)).flatMap((passage, index, all) => {
    if (passage.kind !== 'code' || all[index - 1]?.kind !== 'code') isElsewhere = false;
    const target = passage.kind === 'code' ? /^[$>]?\s*cd\s+(\S+)\s*$/.exec(passage.text)?.[1] : undefined;
    if (target !== undefined) isElsewhere = tracked.resolve(target, folder) !== null;
    if (isElsewhere) return [];
    return linesOf(passage).flatMap(text => {
      const { line, kept } = stripRedirection(text);
      const found = readCommandLine(line, tracked, folder, passage.kind === 'code');
      const source = sourceOf(document, passage.line);
      return found ? [{ value: found, source, strength: surenessOf(passage, line, found, kept) }] : [];
    });
  });
}

/** Reads the commands of a shell script or a Makefile, as they are without the arguments that they pass on. */
export function readScriptCommands(document: Document, tracked: TrackedPaths): readonly CommandLine[] {
  const folder = posix.dirname(document.path) === '.' ? '' : posix.dirname(document.path);
  return document.lines.flatMap(text => {
    const own = text
      .trim()
      .replace(/^exec\s+/, '')
      .replace(/\s+"?\$[@*]"?/g, '');
    return readCommandLine(stripRedirection(own).line, tracked, folder, true) ?? [];
  });
}

/** Joins a command whose lines end in a backslash into one line. */
function joinContinued(passages: readonly Passage[]): readonly Passage[] {
  const joined: Passage[] = [];
  let length = 0;
  for (const passage of passages) {
    const last = joined.at(-1);
    const isContinued =
      last?.kind === 'code' && passage.kind === 'code' && last.text.endsWith('\\') && length < MAX_CONTINUED;
    length = isContinued ? length + 1 : 0;
    if (isContinued)
      joined[joined.length - 1] = { ...last, text: `${last.text.slice(0, -1).trimEnd()} ${passage.text}` };
    else joined.push(passage);
  }
  return joined;
}

function surenessOf(
  { kind, text, lead, heading }: Passage,
  line: string,
  { script }: CommandLine,
  kept: Kept,
): number {
  const about = kind === 'code' ? `${lead} ${heading} ${text.replace(line, '')}` : `${lead} ${text}`;
  const isLaunch = LAUNCH.test(about) || LAUNCH.test(heading);
  // The sentence that introduces a command says more about it than the heading: "Run one trial with:" below "Setup".
  const isLedIn = kind === 'code' && LAUNCH.test(lead) && !ONCE.test(lead);
  const isOnce = !isLedIn && ONCE.test(kind === 'code' ? about : text.replace(/`[^`]*`/g, ''));
  if (kept !== 'no' && !/(?:^|\/)prepare\.py$/.test(script ?? ''))
    return kept === 'as it is' ? SURENESS.kept : SURENESS.launch;
  if (isOnce) return SURENESS.once;
  // A script named like a preparation is one, unless the text calls it the thing to launch.
  if (ONCE_SCRIPT.test(script ?? '')) return isLaunch ? SURENESS.passing : SURENESS.once;
  return isLaunch ? SURENESS.launch : SURENESS.passing;
}

/** Whether a command line has placeholders. */
export function isTemplate({ line }: CommandLine): boolean {
  return PLACEHOLDER.test(line);
}

/** Whether two spellings are the same command, ignoring text that is only for a log. */
export function commandKey({ line }: CommandLine): string {
  return line
    .replace(NOTE, '')
    .replace(/\bpython3\b/g, 'python')
    .replace(/\s+/g, ' ')
    .replace(/(^|\s)\.\//g, '$1');
}

/** The parts of a passage that may be command lines. */
function linesOf({ kind, text }: Passage): readonly string[] {
  if (kind === 'code') {
    // A recipe in a block of code has numbers and words.
    const line = text.replace(/^\d{1,2}[.)]\s+/, '');
    return [BARE.exec(line)?.[1] ?? line];
  }
  const spans = codeSpans(text.replace(SAID_OF_ANOTHER, '')).filter(span => /\s|\//.test(span));
  if (spans.length > 0) return spans;
  const bare = BARE.exec(text)?.[1];
  return bare === undefined ? [] : [bare];
}

/** Whether output goes to a file: written anew, appended to what another command began, or not. */
type Kept = 'as it is' | 'added' | 'no';

/** A command line without its redirection, and whether its output is kept in a file. */
function stripRedirection(text: string): { readonly line: string; readonly kept: Kept } {
  const line = text.replace(/^[$%>#]\s+/, '').replace(/\s+#\s.*$/, '');
  const at = / (?:[12]?>>?|&>) ?\S|\s\|&? ?tee\b| 2>&1/.exec(line)?.index ?? -1;
  if (at < 0) return { line: line.trim(), kept: 'no' };
  const target = line.slice(at);
  const isKept = /\.(?:log|txt|out)\b|\btee\b/.test(target);
  const isAdded = />>|\btee\s+(?:-a|--append)\b/.test(target);
  return { line: line.slice(0, at).trim(), kept: isKept ? (isAdded ? 'added' : 'as it is') : 'no' };
}

function readCommandLine(
  text: string,
  tracked: TrackedPaths,
  folder: string,
  isCode: boolean,
): CommandLine | null {
  if (text.length > 500 || /[\0\n]/.test(text)) return null;
  const words = text
    .replace(/^cd\s+\S+\s*&&\s*/, '')
    .replace(/\$\([^()]{0,100}\)/g, '$()')
    .split(/\s+/);
  while (/^(?:[A-Za-z_]\w*=\S*|time|nohup|env|timeout|\d+[smh]?)$/.test(words[0] ?? '')) words.shift();
  const program = words[0] ?? '';
  const name = posix.basename(program);
  // A file in backticks is only a file; to count as a command it has to be written like one.
  const own = (isCode ? /^\.\/|\.sh$/ : /^\.\//).test(program) ? tracked.resolve(program, folder) : null;
  if (own?.includes('*') || (!RUNNERS.has(name) && own === null)) return null;
  if (words.length < 2 && own === null && name !== 'make') return null;
  const script = own ?? scriptOf(words.slice(1), tracked, folder);
  if (
    script === null &&
    /^(?:uv|python3?|bash|sh|julia|ruby|Rscript|torchrun|node|lua|luajit|wolframscript|octave|tsx)$/.test(
      name,
    )
  )
    return null;
  const told = text.replace(NOTE, (all, option: string, value: string) =>
    PLACEHOLDER.test(value) ? `${option}${SOME_WORDS}` : all,
  );
  return { line: fromTop(told, words, script, tracked, folder), script };
}

/** The first word that is a committed file or a Python module. */
function scriptOf(words: readonly string[], tracked: TrackedPaths, folder: string): string | null {
  for (const [index, word] of words.entries()) {
    if (words[index - 1] === '-m') {
      const module = word.replaceAll('.', '/');
      const found = [`${module}.py`, `${module}/__main__.py`].find(
        path => tracked.resolve(path, folder) !== null,
      );
      if (found !== undefined) return tracked.resolve(found, folder);
    }
    if (!/^-/.test(word) && /\w\.\w/.test(word)) {
      const path = tracked.resolve(word, folder);
      if (path !== null && !path.includes('*')) return path;
    }
  }
  return null;
}

/** The line as it has to be written at the top, if its text is in a folder and means that folder. */
function fromTop(
  text: string,
  words: readonly string[],
  script: string | null,
  tracked: TrackedPaths,
  folder: string,
): string {
  if (folder === '' || /^cd\s/.test(text)) return text;
  const isOfTop = script !== null && words.some(word => word.replace(/^\.\//, '') === script);
  const isOfFolder = script === null || (script.startsWith(`${folder}/`) && tracked.has(script));
  return isOfTop || !isOfFolder ? text : inFolder(folder, text);
}

/** A command line that is run in a folder of the repository. */
export function inFolder(folder: string, line: string): string {
  if (folder === '') return line;
  return `cd ${/^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`} && ${line}`;
}
