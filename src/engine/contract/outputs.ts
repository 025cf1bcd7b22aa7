import type { Contract } from '../../shared/contract/contract.ts';
import { whereToWrite } from '../../shared/contract/where-to-write.ts';

/**
 * Which tracked files a training may write, if the contract does not say what is locked: never code and
 * configuration; files named like outputs at once; any other only if the user's own code was seen to write it. This
 * looks only at names; the caller checks the executable bit.
 */

const CODE = new Set(
  `py pyi pyx pxd ipynb sh bash zsh fish ps1 bat cmd c h cc cpp cxx hpp hh hxx cu cuh cl metal wgsl glsl rs go java kt kts
   scala swift m mm js mjs cjs jsx ts tsx mts cts rb pl pm php lua r jl hs ml mli fs fsx cs vb ex exs erl clj cljs zig nim d
   dart f f90 f95 for asm s sql proto thrift cmake mk gradle bzl nix tf jinja j2 tmpl html css scss vue svelte rkt lisp el
   toml yaml yml ini cfg conf env lock properties xml plist so dll dylib a o jar wasm exe pyc whl`.split(
    /\s+/,
  ),
);

/** Names of configuration files whose endings are also used for other files. */
const CONFIGURATION =
  /^(?:(?:dev-)?requirements|constraints|cmakelists|dockerfile|containerfile|makefile)\b|(?:^|[._-])(?:config|settings|params|hparams|hyperparameters|package|tsconfig|schema)(?:[._-]|$)/i;

const OUTPUT_ENDINGS = new Set(['tsv', 'csv', 'json', 'jsonl', 'ndjson', 'txt', 'md']);

/** `history` is missing on purpose: the prices that judge a strategy are often called that. */
const OUTPUT_WORDS = new Set(
  'result results metric metrics score scores experiment experiments log logs leaderboard progress losses'.split(
    ' ',
  ),
);

/** The metric may be measured from these, so an attempt must not write them, whatever else the name says. */
const DATA_WORDS = new Set(
  `eval evals evaluation val valid validation test tests testing dev holdout heldout data dataset datasets corpus gold golden
   truth groundtruth label labels target targets answer answers expected reference references baseline baselines fixture
   fixtures benchmark benchmarks question questions query queries prompt prompts input inputs sample samples`.split(
    /\s+/,
  ),
);

/** Code, configuration, and files without an ending, which could be either. */
export function isCodeName(path: string): boolean {
  const name = nameOf(path);
  const ending = endingOf(name);
  return ending === null || CODE.has(ending) || CONFIGURATION.test(name);
}

/** Whether a file is named like those that a training writes for people to read: `run.log`, `results.tsv`. */
export function isOutputName(path: string): boolean {
  if (isCodeName(path)) return false;
  const ending = endingOf(nameOf(path)) ?? '';
  if (wordsOf(path).some(word => DATA_WORDS.has(word))) return false;
  if (ending === 'log') return true;
  return OUTPUT_ENDINGS.has(ending) && wordsOf(nameOf(path)).some(word => OUTPUT_WORDS.has(word));
}

/** Advice about locked files that a training changed on purpose; '' if they are code. */
export function adviseOnOutputs(
  touched: readonly string[],
  { locked, source }: Pick<Contract, 'locked' | 'source'>,
): string {
  if (touched.every(isCodeName)) return '';
  const where = whereLocked(source);
  const what =
    locked === null ? `list the files that it must not write as ${where}` : `do not name it as ${where}`;
  return ` If the training should write one of them, ${what}: files not listed there are restored before each run.`;
}

/** Where the user names the locked files. */
export function whereLocked(source: Contract['source']): string {
  return whereToWrite(source, { key: 'contract.locked', field: 'locked files', option: '--locked' });
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** In lower case, without the dot; null for `Makefile` and `.gitignore`. */
function endingOf(name: string): string | null {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? null : name.slice(dot + 1).toLowerCase();
}

/** `evalResults_2.json`: eval, results, json. */
function wordsOf(path: string): readonly string[] {
  return path
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(Boolean);
}
