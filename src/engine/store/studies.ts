import type { Contract } from '../../shared/contract/contract.ts';
import {
  DEFAULT_AUDIT,
  DEFAULT_BUDGET,
  DEFAULT_LIMITS,
  DEFAULT_METRIC,
  DEFAULT_SANDBOX,
} from '../../shared/contract/contract-defaults.ts';
import type { StopRules } from '../../shared/contract/stop-rules.ts';
import type { ProposerSettings } from '../../shared/proposers/proposers.ts';
import type { StopReason, Study, StudyState } from '../../shared/study.ts';
import { type Database, decode } from './database.ts';

type Row = {
  id: string;
  tag: string;
  repository_path: string;
  git_dir: string;
  contract: string;
  base_commit: string;
  proposer: string;
  stop: string;
  state: StudyState;
  stop_reason: StopReason | null;
  stop_detail: string | null;
  created_at: number;
  preserved: string;
  worktree_name: string;
  imported_from: string | null;
  import_columns: string | null;
  asks_approval: number;
  gpu: string | null;
  cap_usd: number | null;
  lanes: string;
  other_lines: Study['otherLines'];
  outputs: string;
  written_folders: string | null;
  title: string | null;
  archived_at: number | null;
};

/** A study that began before there were sandboxes continues without one. */
const BEFORE_SANDBOXES: Contract['sandbox'] = {
  ...DEFAULT_SANDBOX,
  ...{ mode: 'off', network: true, writes: ['**'] },
};

/** A study that began before repeats existed continues without them. */
const BEFORE_REPEATS: Contract['metric']['verdict'] = 'greedy';

/** A run of a study that began before Pawl limited the time is not ended. */
const BEFORE_BUDGETS: Omit<Contract['budget'], 'seconds' | 'limitSeconds'> = {
  ...DEFAULT_BUDGET,
  tolerance: 1e6,
};

function readContract(text: string): Contract {
  const contract = JSON.parse(text) as Omit<
    Contract,
    'sandbox' | 'limits' | 'checks' | 'score' | 'audit' | 'model'
  > &
    Partial<Contract>;
  return {
    ...contract,
    metric: { ...DEFAULT_METRIC, ...{ verdict: BEFORE_REPEATS }, ...contract.metric },
    checks: contract.checks ?? [],
    score: contract.score ?? null,
    audit: contract.audit ?? DEFAULT_AUDIT,
    model: contract.model ?? null,
    budget: { ...BEFORE_BUDGETS, ...contract.budget },
    limits: contract.limits ?? DEFAULT_LIMITS,
    sandbox: { ...BEFORE_SANDBOXES, ...contract.sandbox },
  };
}

function fromRow(row: Row): Study {
  return {
    id: row.id,
    tag: row.tag,
    repositoryPath: row.repository_path,
    gitDir: row.git_dir,
    contract: readContract(row.contract),
    baseCommit: row.base_commit,
    proposer: JSON.parse(row.proposer) as ProposerSettings,
    stop: JSON.parse(row.stop) as StopRules,
    state: row.state,
    stopReason: row.stop_reason,
    stopDetail: row.stop_detail,
    createdAt: row.created_at,
    preserved: JSON.parse(row.preserved) as string[],
    outputs: JSON.parse(row.outputs) as string[],
    writtenFolders: decode<string[]>(row.written_folders),
    worktreeName: row.worktree_name,
    lanes: JSON.parse(row.lanes) as string[],
    otherLines: row.other_lines,
    importedFrom: row.imported_from,
    importColumns: decode<string[]>(row.import_columns),
    asksApproval: row.asks_approval === 1,
    gpu: row.gpu,
    capUsd: row.cap_usd,
    title: row.title,
    archivedAt: row.archived_at,
  };
}

/** An id for a new study: its day for people, and enough random characters to be unique. */
export function newStudyId(now: number): string {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString('hex');
  return `${new Date(now).toISOString().slice(0, 10).replaceAll('-', '')}-${random}`;
}

export type StudyStore = ReturnType<typeof studyStore>;

export function studyStore(database: Database) {
  const insert = database.prepare(
    `INSERT INTO study (id, tag, repository_path, git_dir, contract, base_commit, proposer, stop, state,
       created_at, worktree_name, imported_from, import_columns, asks_approval, gpu, cap_usd, lanes, other_lines)
     VALUES (@id, @tag, @repositoryPath, @gitDir, @contract, @baseCommit, @proposer, @stop, @state,
       @createdAt, @worktreeName, @importedFrom, @importColumns, @asksApproval, @gpu, @capUsd, @lanes, @otherLines)`,
  );
  const remove = database.prepare('DELETE FROM study WHERE id = ?');
  const byId = database.prepare<[string], Row>('SELECT * FROM study WHERE id = ?');
  const all = database.prepare<[], Row>('SELECT * FROM study ORDER BY created_at DESC, rowid DESC');
  const setState = database.prepare(
    'UPDATE study SET state = ?, stop_reason = ?, stop_detail = ? WHERE id = ?',
  );
  const setSettings = database.prepare(
    'UPDATE study SET stop = ?, proposer = ?, contract = ?, gpu = ?, cap_usd = ?, lanes = ?, other_lines = ? WHERE id = ?',
  );
  const setPreserved = database.prepare('UPDATE study SET preserved = ? WHERE id = ?');
  const setOutputs = database.prepare('UPDATE study SET outputs = ?, written_folders = ? WHERE id = ?');
  const setApproval = database.prepare('UPDATE study SET asks_approval = ? WHERE id = ?');
  const setTitle = database.prepare('UPDATE study SET title = ? WHERE id = ?');
  const setArchived = database.prepare('UPDATE study SET archived_at = ? WHERE id = ?');
  const removeExperiments = database.prepare(
    'DELETE FROM experiment WHERE id IN (SELECT id FROM experiment WHERE study_id = ? LIMIT ?)',
  );
  const setRepository = database.prepare('UPDATE study SET repository_path = ?, git_dir = ? WHERE id = ?');

  return {
    insert(study: Study): void {
      insert.run({
        ...study,
        contract: JSON.stringify(study.contract),
        proposer: JSON.stringify(study.proposer),
        stop: JSON.stringify(study.stop),
        importColumns: study.importColumns && JSON.stringify(study.importColumns),
        asksApproval: Number(study.asksApproval),
        lanes: JSON.stringify(study.lanes),
      });
    },
    /** Removes a study with everything that belongs to it. */
    remove(id: string): void {
      remove.run(id);
    },
    get(id: string): Study | null {
      const row = byId.get(id);
      return row ? fromRow(row) : null;
    },
    /** Newest first. */
    list(): readonly Study[] {
      return all.all().map(fromRow);
    },
    setState(id: string, state: StudyState, reason: StopReason | null, detail: string | null): void {
      setState.run(state, reason, detail, id);
    },
    /** What a resumed sitting may change: stop rules, proposer, budget, GPU, spending limit, lanes, other lines. */
    setSettings(
      id: string,
      settings: Pick<Study, 'stop' | 'proposer' | 'contract' | 'gpu' | 'capUsd' | 'lanes' | 'otherLines'>,
    ): void {
      setSettings.run(
        JSON.stringify(settings.stop),
        JSON.stringify(settings.proposer),
        JSON.stringify(settings.contract),
        settings.gpu,
        settings.capUsd,
        JSON.stringify(settings.lanes),
        settings.otherLines,
        id,
      );
    },
    /** Whether proposals wait for the user. */
    setApproval(id: string, asks: boolean): void {
      setApproval.run(Number(asks), id);
    },
    setPreserved(id: string, paths: readonly string[]): void {
      setPreserved.run(JSON.stringify(paths), id);
    },
    setOutputs(id: string, { outputs, writtenFolders }: Pick<Study, 'outputs' | 'writtenFolders'>): void {
      setOutputs.run(JSON.stringify(outputs), writtenFolders && JSON.stringify(writtenFolders), id);
    },
    /** Removes at most `limit` experiments of a study; returns how many. */
    removeExperiments(id: string, limit: number): number {
      return removeExperiments.run(id, limit).changes;
    },
    /** Null restores the tag. */
    setTitle(id: string, title: string | null): void {
      setTitle.run(title, id);
    },
    /** Since when it is archived; null takes it out of the archive. */
    setArchived(id: string, at: number | null): void {
      setArchived.run(at, id);
    },
    /** Call it after the user has moved the repository. */
    setRepository(id: string, path: string, gitDir: string): void {
      setRepository.run(path, gitDir, id);
    },
  };
}
