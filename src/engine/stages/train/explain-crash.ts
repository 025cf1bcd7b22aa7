import type { Contract } from '../../../shared/contract/contract.ts';
import { whereToWrite } from '../../../shared/contract/where-to-write.ts';
import type { Crash, RunOutcome } from '../../../shared/study.ts';
import { adviseOnOutputs } from '../../contract/outputs.ts';
import { namePaths } from '../edit/judge-edit.ts';
import type { BegunRun } from './begin-run.ts';
import type { ConductedRun } from './conduct-run.ts';
import { findSealedPath } from './sealed-path.ts';

/**
 * Why a run that was not scored yet does not count; null if nothing is wrong.
 * @param touched locked files that it changed
 * @param measured the crash of its later commands
 * @param isLost whether something else than its code ended it
 */
export function findCrash(
  { study: { contract } }: BegunRun,
  { observer }: ConductedRun,
  outcome: RunOutcome,
  touched: readonly string[],
  measured: Crash | null,
  isLost: boolean,
): Crash | null {
  const { score, metric, budget } = contract;
  const printsMetric = metric.command === null && metric.waitSeconds === null && score === null;
  const classify = () =>
    observer.reader.classify(outcome, printsMetric ? metric.name : null, budget.limitSeconds);
  return lockCrash(touched, contract) ?? (isLost ? null : classify()) ?? measured;
}

/**
 * Adds advice for the user to a crash.
 * @param cut a sentence about cut output, if the disk was full
 */
export function explainCrash(
  crash: Crash,
  { study: { contract }, n, surroundings: { seals, sandbox } }: BegunRun,
  { observer, place }: ConductedRun,
  outcome: RunOutcome,
  cut: string,
): Crash {
  // What printed other numbers did its work; it only names them otherwise.
  const isNamedOtherwise = crash.class === 'no_metric' && observer.reader.hasNumbers;
  const isContained = n === 0 && sandbox !== undefined && outcome.kind !== 'limited';
  const isHinted = isContained && !isNamedOtherwise && mayBeOfSandbox(crash);
  const hints = [
    n === 0 && outcome.kind === 'timeout' ? limitHint(contract) : '',
    isHinted ? (packageHint(crash, contract) ?? sandboxHint(contract)) : '',
  ].join('');
  return (
    findSealedPath(crash, seals, place.cwd, contract) ?? { ...crash, message: crash.message + hints + cut }
  );
}

/** Kinds of crashes and exceptions that a missing file, right or network does not cause. */
const OF_CODE: ReadonlySet<Crash['class']> = new Set(['out_of_memory', 'diverged', 'disk_full']);
const EXCEPTION_OF_CODE =
  /^(?:[\w.]+\.)?(?:Assertion|Attribute|Index|Key|Name|Type|UnboundLocal|ZeroDivision|Syntax|Indentation|Overflow|Recursion|Unpickling)Error\b/;

export function mayBeOfSandbox({ class: kind, message }: Pick<Crash, 'class' | 'message'>): boolean {
  return !OF_CODE.has(kind) && !EXCEPTION_OF_CODE.test(message);
}

/** What Node says of a package; of a file it names a path. */
const NO_PACKAGE = /Cannot find (?:package|module) '(?![./])/;

/** Null unless a program in JavaScript lacks a package, which is then not committed, and no set-up command installs it. */
export function packageHint(
  { message }: Pick<Crash, 'message'>,
  { source, setup }: Pick<Contract, 'source' | 'setup'>,
): string | null {
  if (setup !== null || !NO_PACKAGE.test(message)) return null;
  const where = whereToWrite(source, { key: 'contract.setup', field: 'the set-up command' });
  return ` A run has only what is committed, and node_modules is not: write "npm ci" as ${where}.`;
}

/** If a baseline fails, the sandbox is more often the cause than the code. */
function sandboxHint({ source }: Contract): string {
  const reads = whereToWrite(source, { key: 'sandbox.reads', field: 'folders it may read' });
  const writes = whereToWrite(source, { key: 'sandbox.writes', field: 'writable set-up files' });
  return ` It ran in the sandbox: name what it may read as ${reads}, and the set-up files that it may write as ${writes}; a file cannot be renamed from outside into a folder with locked files. PAWL_SANDBOX=off runs it without a sandbox.`;
}

function limitHint({ source }: Contract): string {
  const limit = { key: 'budget.limit_seconds', field: 'the limit', option: '--limit' };
  return ` If the code needs longer, raise ${whereToWrite(source, limit)}.`;
}

export function lockCrash(touched: readonly string[], contract: Contract): Crash | null {
  if (touched.length === 0) return null;
  return {
    class: 'locked_file_touched',
    message: `The training changed locked files: ${namePaths(touched)}. Its numbers do not count.${adviseOnOutputs(touched, contract)}`,
    tail: [],
  };
}
