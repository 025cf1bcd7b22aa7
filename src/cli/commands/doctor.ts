import { existsSync } from 'node:fs';
import { stripVTControlCharacters, styleText } from 'node:util';
import { saveContract } from '../../engine/api/projects.ts';
import { loadContract } from '../../engine/contract/load-contract.ts';
import { openRepository, readHeadCommit } from '../../engine/git/repository.ts';
import { type DataPaths, dataPaths } from '../../engine/paths.ts';
import { runDoctor } from '../../engine/preflight/doctor.ts';
import { type Ledger, openLedger } from '../../engine/store/ledger.ts';
import type { PreflightCheck } from '../../shared/contract/set-up.ts';
import { PawlError } from '../../shared/errors.ts';
import type { MetricFlags } from '../check-metric.ts';
import { EXIT } from '../exit-codes.ts';
import { clip, tableText, wrap } from '../format.ts';
import { type ContractFlags, choicesOf } from '../found.ts';
import { print } from '../print.ts';

const SIGNS: Readonly<Record<PreflightCheck['outcome'], string>> = {
  ok: styleText('blue', '✓ ok'),
  warning: styleText('yellow', '! warning'),
  failed: styleText(['yellow', 'bold'], '✗ failed'),
  skipped: styleText('gray', '– skipped'),
};

/** Details are wrapped to at least this many columns, however narrow the terminal is. */
const LEAST_COLUMNS = 30;

/** One line per check, and further lines if its detail is too long for `columns`. */
export function doctorRows(checks: readonly PreflightCheck[], columns: number): string {
  const names = Math.max(0, ...checks.map(({ name }) => name.length));
  const signs = Math.max(0, ...checks.map(({ outcome }) => stripVTControlCharacters(SIGNS[outcome]).length));
  const width = Math.max(LEAST_COLUMNS, columns - names - signs - 4);
  const rows = checks.flatMap(({ outcome, name, detail }) => {
    const line = clip(detail.split('\n')[0] ?? '', Number.POSITIVE_INFINITY);
    return (Number.isFinite(width) ? wrap(line, width) : [line]).map((piece, index) =>
      index === 0 ? [SIGNS[outcome], name, piece] : ['', '', piece],
    );
  });
  return tableText(rows, ['left', 'left', 'left']);
}

export async function doctor(
  path: string,
  {
    metric,
    ...rest
  }: Omit<ContractFlags, 'metric'> &
    MetricFlags & {
      readonly tag?: string;
      readonly json?: boolean;
      readonly save?: boolean;
      /** True if the metric should be checked without being named. */
      readonly metric?: string | true;
    },
): Promise<void> {
  const flags = metric === undefined || metric === true ? rest : { ...rest, metric };
  const trains =
    metric === true || flags.runs !== undefined || flags.hours !== undefined || flags.break === false;
  // Loaded only when needed, but before anything that takes time, because it also listens for Ctrl-C.
  const checker = trains ? await import('../check-metric.ts') : null;
  const paths = dataPaths(process.env);
  const ledger = findLedger(paths);
  const checks = await runDoctor({
    path,
    tag: flags.tag ?? null,
    ...{ paths, ledger },
    environment: process.env,
    choices: choicesOf(flags),
    withAgents: true,
  }).finally(() => ledger?.close());
  const isReady = checks.every(check => check.outcome !== 'failed');
  if (flags.json && !trains) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else if (!flags.json) {
    // In a pipe, each check is one line.
    process.stdout.write(`${doctorRows(checks, process.stdout.columns || Number.POSITIVE_INFINITY)}\n`);
    // Text to copy into a file is printed on its own.
    for (const { detail } of checks) {
      const [, ...more] = detail.split('\n');
      if (more.length > 0) process.stdout.write(`\n${more.join('\n')}`);
    }
  }
  if (flags.save) await save(path, flags);
  if (!isReady) process.exitCode = EXIT.usage;
  if (!checker) return;
  try {
    reportMetric(checks, flags, isReady ? await checker.checkMetric(path, flags) : null);
  } catch (error) {
    if (flags.json) {
      const { code = null, message } = error as { readonly code?: unknown; readonly message: string };
      print(JSON.stringify({ checks, metric: null, lines: [], error: { code, message } }, null, 2));
    }
    throw error;
  }
}

/** Whether a folder is a repository or inside one. */
export async function isInRepository(folder: string): Promise<boolean> {
  try {
    await openRepository(folder);
    return true;
  } catch (error) {
    if (error instanceof PawlError) return false;
    throw error;
  }
}

/** Checking must not create a ledger, and an unreadable ledger must not stop the other checks. */
function findLedger({ ledger }: DataPaths): Ledger | undefined {
  if (!existsSync(ledger)) return undefined;
  try {
    return openLedger(ledger);
  } catch (error) {
    if (error instanceof PawlError) return undefined;
    throw error;
  }
}

/** @param checked null if nothing was trained, because a check failed */
function reportMetric(
  checks: readonly PreflightCheck[],
  flags: { readonly json?: boolean },
  checked: Awaited<ReturnType<typeof import('../check-metric.ts').checkMetric>> | null,
): void {
  if (checked) process.exitCode = checked.exitCode;
  if (flags.json) {
    const { outcome = null, lines = [] } = checked ?? {};
    process.stdout.write(`${JSON.stringify({ checks, metric: outcome, lines }, null, 2)}\n`);
  } else if (checked) {
    const sign = (isWarning: boolean) => (isWarning ? styleText('yellow', '!') : ' ');
    const lines = checked.lines.map(({ isWarning, text }) => `${sign(isWarning)} ${text}\n`);
    process.stdout.write(`\n${lines.join('')}`);
  }
}

/** Writes the findings and the user's choices to the checkout; commits nothing. Rejects like `saveContract`. */
async function save(path: string, flags: ContractFlags): Promise<void> {
  const repository = await openRepository(path);
  const head = await readHeadCommit(repository);
  if (!head) throw new PawlError('usage', 'There is no commit yet: commit your files first.');
  const contract = await loadContract(repository, head, choicesOf(flags));
  const file = await saveContract(repository.path, contract);
  process.stderr.write(`${file} was written. Commit it, and the next study will use it.\n`);
}
