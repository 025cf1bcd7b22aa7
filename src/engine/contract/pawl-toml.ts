import { distance } from 'fastest-levenshtein';
import { parse, TomlError } from 'smol-toml';
import type { z } from 'zod';
import type { Contract } from '../../shared/contract/contract.ts';
import { contractFromFile } from '../../shared/contract/contract-file.ts';
import { contractFileSchema } from '../../shared/contract/contract-schema.ts';
import { PawlError } from '../../shared/errors.ts';
import { compilePattern } from '../metrics/pattern.ts';

/** Every key pawl.toml knows, by table; for naming the nearest one to a misspelt key. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(contractFileSchema.shape),
  contract: Object.keys(contractFileSchema.shape.contract.shape),
  metric: Object.keys(contractFileSchema.shape.metric.shape),
  budget: Object.keys(contractFileSchema.shape.budget.unwrap().shape),
  stop: Object.keys(contractFileSchema.shape.stop.unwrap().shape),
  score: Object.keys(contractFileSchema.shape.score.unwrap().shape),
  audit: Object.keys(contractFileSchema.shape.audit.unwrap().shape),
  model: Object.keys(contractFileSchema.shape.model.unwrap().shape),
  limits: Object.keys(contractFileSchema.shape.limits.unwrap().shape),
  sandbox: Object.keys(contractFileSchema.shape.sandbox.unwrap().shape),
  cluster: Object.keys(contractFileSchema.shape.cluster.unwrap().shape),
};

/** Somebody may have meant to add one key to what was recognised. */
const TABLE_REQUIRED =
  'is required: where there is a pawl.toml, nothing else is recognised. Without one, "pawl doctor --save" writes what is.';

/**
 * Reads the text of a pawl.toml. Rejects with `contract_invalid`: one sentence with file, line and key for the
 * first thing that is wrong.
 */
export function parsePawlToml(text: string, fileName: string): Contract {
  let table: unknown;
  try {
    table = parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const what = cause.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '');
    throw new PawlError('contract_invalid', `${fileName}:${cause.line}: not valid TOML: ${what}`, { cause });
  }
  const result = contractFileSchema.safeParse(table, { reportInput: true });
  if (result.success) return checkPattern(contractFromFile(result.data), text, fileName);
  // A misspelt key explains a missing one.
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (!issue) throw result.error;
  const { path, message } = describe(issue);
  const line = findLine(text, path);
  throw new PawlError('contract_invalid', `${fileName}:${line}: ${path.map(showKey).join('.')}: ${message}`);
}

function checkPattern(contract: Contract, text: string, fileName: string): Contract {
  const { pattern } = contract.metric;
  try {
    if (pattern !== null) compilePattern(pattern);
    return contract;
  } catch (cause) {
    if (!(cause instanceof PawlError)) throw cause;
    const line = findLine(text, ['metric', 'pattern']);
    throw new PawlError(cause.code, `${fileName}:${line}: ${cause.message}`, { cause });
  }
}

/** Line of the key at `path`, from 1; null where the file does not write it. */
export function locateKey(text: string, path: readonly string[]): number | null {
  return locate(text, path).line;
}

function describe(issue: z.core.$ZodIssue): { path: readonly string[]; message: string } {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = KNOWN_KEYS[path.join('.')] ?? [];
    const [nearest = ''] = [...known].sort((a, b) => distance(a, key) - distance(b, key));
    const isNear = distance(nearest, key) <= key.length / 2;
    const hint = isNear
      ? `the nearest known key is "${nearest}"`
      : `known are ${known.map(other => `"${other}"`).join(', ')}`;
    return { path: [...path, key], message: known.length > 0 ? `unknown key; ${hint}` : 'unknown key' };
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return { path, message: path.length === 1 ? TABLE_REQUIRED : 'is required' };
  }
  return { path, message: issue.message };
}

/** Line (from 1) where the key at `path` is written, or the nearest table above it. */
function findLine(text: string, path: readonly string[]): number {
  const { line, nearest } = locate(text, path);
  return line ?? nearest;
}

/**
 * Where a key is written. The parser keeps no positions, so this looks for `[table]` heads and `key =` the way people
 * write them.
 */
function locate(
  text: string,
  path: readonly string[],
): { readonly line: number | null; readonly nearest: number } {
  const lines = text.split('\n');
  let table: string[] = [];
  let nearest = 1;
  for (const [index, line] of lines.entries()) {
    const head = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_.-]|\s*\.\s*)+?)\s*=/.exec(line)?.[1];
    if (head) table = splitKey(head);
    const here = head ? table : key ? [...table, ...splitKey(key)] : null;
    if (!here) continue;
    const wanted = path.slice(0, here.length);
    if (here.join('\0') !== wanted.join('\0')) continue;
    nearest = index + 1;
    if (here.length === path.length) return { line: nearest, nearest };
  }
  return { line: null, nearest };
}

function splitKey(key: string): string[] {
  return [...key.matchAll(/("(?:[^"\\]|\\.)*")|'([^']*)'|([^.\s"']+)/g)].map(([, quoted, literal, bare]) =>
    quoted === undefined ? (literal ?? bare ?? '') : unquote(quoted),
  );
}

/** TOML's basic strings are written as JSON's, but for a few escapes nobody puts into a key. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

const SHOWN_KEY_CHARACTERS = 60;

/** A key for a message of one line: escaped, and cut where somebody wrote a novel. */
function showKey(key: string): string {
  const text = JSON.stringify(key).slice(1, -1);
  return text.length > SHOWN_KEY_CHARACTERS ? `${text.slice(0, SHOWN_KEY_CHARACTERS)}…` : text;
}
