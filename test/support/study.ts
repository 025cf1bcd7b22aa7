import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import type { Mark } from '../../src/shared/notebook.ts';
import type { RepeatPurpose } from '../../src/shared/study.ts';
import type { DeathPoint } from './die-at.ts';
import { checkInvariants } from './invariants.ts';
import type { RunningPawl } from './pawl.ts';
import { processState } from './processes.ts';
import {
  contractFile,
  createRepository,
  FAST_TRAINER,
  snapshotUserState,
  temporaryFolder,
} from './scaffold.ts';

/** A repository and a data folder for a study called `night`. */
export type Night = {
  readonly home: string;
  readonly repository: string;
  readonly userState: string;
};

export const TAG = 'night';

/** The fast trainer's project, with the parts that a test wants to differ. */
export async function prepareNight(
  options: {
    readonly trainer?: string;
    readonly contract?: string;
    /** Added to those of the project. */
    readonly files?: Readonly<Record<string, string>>;
    readonly home?: string;
    readonly repository?: string;
  } = {},
): Promise<Night> {
  const repository = await createRepository(
    {
      'train.sh': options.trainer ?? FAST_TRAINER,
      'pawl.toml': options.contract ?? contractFile(),
      'prepare.sh': 'echo fixed\n',
      ...options.files,
    },
    options.repository,
  );
  const home = options.home ?? (await temporaryFolder());
  return { home, repository, userState: await snapshotUserState(repository) };
}

export function checkNight({ home, repository, userState }: Night): Promise<void> {
  return checkInvariants({ repository, home, tag: TAG, userState, editable: ['train.sh'] });
}

const DIE_AT = fileURLToPath(new URL('die-at.ts', import.meta.url));

/** Environment of a pawl that ends by SIGKILL at `point`. */
export function dyingAt(point: DeathPoint): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${DIE_AT}`, PAWL_TEST_DIE_AT: JSON.stringify(point) };
}

/** Environment of a pawl that stops at `point` until it gets SIGCONT. */
export function pausingAt(point: DeathPoint): Readonly<Record<string, string>> {
  return { ...dyingAt(point), PAWL_TEST_SIGNAL: 'SIGSTOP' };
}

/** Waits until a pawl started with {@link pausingAt} has stopped there. Rejects if it ends instead. */
export async function untilPaused({ child, stderr }: RunningPawl): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`pawl did not pause: ${stderr}`);
    if ((await processState(child.pid ?? 0)) === 'T') return;
    await delay(5);
  }
}

export type ExperimentRow = {
  readonly id: number;
  readonly n: number;
  readonly phase: string;
  readonly hypothesis: string | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly metric: number | null;
  readonly parent_commit: string | null;
  readonly attempt_commit: string | null;
  readonly branch_commit: string | null;
  readonly verdict_order: number | null;
};

type RunRow = {
  readonly n: number;
  readonly k: number;
  readonly outcome: string | null;
  readonly commit_name: string;
  readonly lane: string | null;
  readonly purpose: RepeatPurpose | null;
};

export type LedgerRows = {
  readonly studyId: string;
  readonly state: string;
  readonly stopReason: string | null;
  readonly worktreeName: string;
  readonly experiments: readonly ExperimentRow[];
  readonly runs: readonly RunRow[];
  readonly refusals: readonly { readonly n: number; readonly reason: string; readonly message: string }[];
};

/** The rows of study `night`, read with plain SQLite; null if the ledger does not have it. */
export function readRows(home: string, tag = TAG): LedgerRows | null {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { fileMustExist: true });
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'study'").all();
    if (tables.length === 0) return null;
    const study = database.prepare('SELECT * FROM study WHERE tag = ?').get(tag) as
      | { id: string; state: string; stop_reason: string | null; worktree_name: string }
      | undefined;
    if (!study) return null;
    const all = <T>(sql: string) => database.prepare(sql).all(study.id) as T[];
    return {
      studyId: study.id,
      state: study.state,
      stopReason: study.stop_reason,
      worktreeName: study.worktree_name,
      experiments: all<ExperimentRow>('SELECT * FROM experiment WHERE study_id = ? ORDER BY n'),
      runs: all<RunRow>(
        `SELECT n, k, outcome, commit_name, lane, purpose FROM run JOIN experiment e ON e.id = experiment_id
         WHERE study_id = ? ORDER BY n, k`,
      ),
      refusals: all('SELECT n, reason, message FROM refusal WHERE study_id = ? ORDER BY id'),
    };
  } finally {
    database.close();
  }
}

/** {@link readRows} of a study that must exist. */
export function rowsOf(home: string, tag = TAG): LedgerRows {
  const rows = readRows(home, tag);
  if (!rows) throw new Error(`the ledger has no study ${tag}`);
  return rows;
}

/** What marks of a kind say, oldest first. */
export function readMarks(home: string, kind: Mark['kind']): readonly string[] {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { fileMustExist: true });
  try {
    return database.prepare('SELECT text FROM mark WHERE kind = ? ORDER BY id').pluck().all(kind) as string[];
  } finally {
    database.close();
  }
}

export function isRecorded(row: ExperimentRow): boolean {
  return row.phase === 'recorded';
}
