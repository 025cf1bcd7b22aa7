import { posix } from 'node:path';
import type { AskedName, Recognition, Unclear } from '../../shared/contract/findings.ts';
import { blobBytes, type Repository, readBlob } from '../git/repository.ts';
import { type Document, documentOf } from './document.ts';
import { findShapes, type PiSession, type Shape } from './find-shape.ts';
import { isCodeName } from './outputs.ts';
import { readPiLog, recognizePi } from './pi-shape.ts';
import { filesOfProgram, recognizeProgram } from './program-shape.ts';
import { TrackedPaths } from './tracked-paths.ts';

type TreeEntry = { readonly mode: string; readonly path: string };

/** A larger file is skipped: nobody wrote it by hand. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_LOG_BYTES = 64 * 1024 * 1024;
/** Only this many scripts are searched for what they print. */
const MAX_SCRIPTS = 24;
/** Only this many shell scripts and Makefiles are searched for the commands that they run. */
const MAX_STARTERS = 8;

/** The shape of a repository without a pawl.toml, or the folders that each have a shape of their own. */
export type Recognized =
  | { readonly kind: 'recognized'; readonly recognition: Recognition }
  | { readonly kind: 'none'; readonly folders: readonly string[] };

/** Recognises a commit by its shape. Reads only what is committed, and runs nothing. */
export async function recognize(
  repository: Repository,
  commit: string,
  tree: readonly TreeEntry[],
): Promise<Recognized> {
  const files = tree.filter(({ mode }) => mode === '100644' || mode === '100755');
  const tracked = new TrackedPaths(files.map(({ path }) => path));
  const { shapes, folders } = findShapes(tracked.all);
  const read = (path: string | null) => readDocument(repository, commit, path);
  const found: Recognition[] = [];
  for (const shape of shapes) {
    const recognition =
      shape.kind === 'pi'
        ? await readPi(repository, commit, shape, tracked, files, shapes.length === 1)
        : await readProgram(shape, tracked, read);
    if (recognition) found.push(recognition);
  }
  // If a folder has two set-ups: the one that says more, else the tool's.
  const [first, second] = found.toSorted((a, b) => a.unclear.length - b.unclear.length);
  if (!first) return { kind: 'none', folders: folders.length > 1 ? folders : [] };
  return { kind: 'recognized', recognition: second ? combine(first, second) : first };
}

async function readProgram(
  shape: Extract<Shape, { kind: 'program' }>,
  tracked: TrackedPaths,
  read: (path: string | null) => Promise<Document | null>,
): Promise<Recognition | null> {
  const [program, readme, table] = await Promise.all([
    read(shape.program),
    read(shape.readme),
    read(at(shape.folder, 'autoresearch-results.tsv', tracked)),
  ]);
  if (!program) return null;
  const upstream = ['train.py', 'prepare.py']
    .map(name => at(shape.folder, name, tracked))
    .filter(path => path !== null);
  const named = filesOfProgram({ program, readme }, tracked).filter(isCodeName);
  const scripts = [...new Set([...upstream, ...named])].slice(0, MAX_SCRIPTS);
  const code = (await Promise.all(scripts.map(read))).filter(document => document !== null);
  const starters = tracked.all.filter(path => isStarter(path, shape.folder)).slice(0, MAX_STARTERS);
  const starting = (await Promise.all(starters.map(read))).filter(document => document !== null);
  return recognizeProgram(shape, { program, readme, code, table, scripts: starting }, tracked);
}

/** A shell script or a Makefile beside the program. */
function isStarter(path: string, folder: string): boolean {
  const isBeside = posix.dirname(path) === (folder === '' ? '.' : folder);
  return isBeside && /\.(?:sh|bash)$|(?:^|\/)(?:Makefile|justfile)$/.test(path);
}

async function readPi(
  repository: Repository,
  commit: string,
  shape: Extract<Shape, { kind: 'pi' }>,
  tracked: TrackedPaths,
  files: readonly TreeEntry[],
  isAlone: boolean,
): Promise<Recognition | null> {
  const { session } = shape;
  const [prompt, measure, config] = await Promise.all(
    [session.prompt, session.measure, session.config].map(path => readDocument(repository, commit, path)),
  );
  if (!measure || (!isAlone && isOtherScript(session, measure))) return null;
  // Read to the end, because the last configuration counts.
  const log = session.log === null ? null : await readBounded(repository, commit, session.log, MAX_LOG_BYTES);
  const executable = new Set(files.filter(({ mode }) => mode === '100755').map(({ path }) => path));
  return recognizePi(
    shape,
    {
      ...{ prompt: prompt ?? null, measure, config: config ?? null },
      log: log && session.log !== null ? readPiLog(session.log, log.toString('utf8')) : null,
    },
    tracked,
    path => executable.has(path),
  );
}

/**
 * A script that only shares the name, for instance someone's own driver of an agent: it has no other files, and
 * prints no number.
 */
function isOtherScript({ prompt, checks, config, log, hooks }: PiSession, measure: Document): boolean {
  const isBare = [prompt, checks, config, log, ...hooks].every(path => path === null);
  return isBare && !measure.lines.some(line => /\bMETRIC\b/.test(line));
}

function at(folder: string, name: string, tracked: TrackedPaths): string | null {
  const path = posix.join(folder, name);
  return tracked.has(path) ? path : null;
}

async function readDocument(
  repository: Repository,
  commit: string,
  path: string | null,
): Promise<Document | null> {
  if (path === null) return null;
  const bytes = await readBounded(repository, commit, path, MAX_TEXT_BYTES);
  return bytes && documentOf(path, bytes);
}

async function readBounded(
  repository: Repository,
  commit: string,
  path: string,
  limit: number,
): Promise<Buffer | null> {
  const size = await blobBytes(repository, commit, path);
  return size === null || size > limit ? null : readBlob(repository, commit, path);
}

/**
 * If a folder has two set-ups, the first counts; where they disagree about the metric, the files or the command, the
 * user is asked.
 */
function combine(first: Recognition, second: Recognition): Recognition {
  const torn: Unclear[] = [];
  const differ = (name: AskedName, one: string | null | undefined, other: string | null | undefined) => {
    if (!one || !other || one === other || first.unclear.some(unclear => unclear.name === name)) return false;
    const where = (recognition: Recognition) =>
      recognition.findings.find(finding => finding.name === name)?.source;
    const why = `Two set-ups here differ: ${one} (${where(first)}) or ${other} (${where(second)}).`;
    torn.push({ name, why, candidates: [one, other] });
    return true;
  };
  const { draft } = first;
  const other = second.draft;
  const isMetricTorn = differ('metric', draft.metric.name, other.metric.name);
  const isGoalTorn = differ('goal', draft.metric.goal, other.metric.goal);
  const isEditableTorn = differ('editable', draft.editable?.join(', '), other.editable?.join(', '));
  const isTrainTorn = differ('train', draft.train, other.train);
  const names = torn.map(({ name }) => name);
  // The checks of one set-up also apply if the other trains.
  const areChecksOthers = draft.checks.length === 0;
  return {
    draft: {
      ...draft,
      checks: areChecksOthers ? other.checks : draft.checks,
      editable: isEditableTorn ? null : draft.editable,
      train: isTrainTorn ? null : draft.train,
      metric: {
        ...draft.metric,
        name: isMetricTorn ? null : draft.metric.name,
        goal: isGoalTorn ? null : draft.metric.goal,
      },
    },
    findings: [
      ...first.findings.filter(({ name }) => !names.some(torn => torn === name)),
      ...second.findings.filter(({ name }) => areChecksOthers && name === 'checks'),
    ],
    unclear: [...first.unclear, ...torn],
  };
}
