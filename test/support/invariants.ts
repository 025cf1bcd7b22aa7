import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { findMarked } from './processes.ts';
import { gitCalls, snapshotUserState } from './scaffold.ts';

type Row = {
  n: number;
  phase: string;
  verdict: string | null;
  metric: number | null;
  evidence: string | null;
  parent_commit: string | null;
  attempt_commit: string | null;
  /** Where the branch moved, if not to the attempt. */
  branch_commit: string | null;
  verdict_order: number | null;
};

/**
 * Checks DESIGN's invariants 1 to 6 from outside, with plain git and SQLite. Call it when no engine runs and the last
 * sitting ended by itself (was not killed). Throws an error that names the broken invariant.
 */
export async function checkInvariants(input: {
  readonly repository: string;
  readonly home: string;
  readonly tag: string;
  /** `snapshotUserState` from before the study; null if the repository was made with it. */
  readonly userState: string | null;
  readonly editable: readonly string[];
}): Promise<void> {
  const { repository, home, tag, userState, editable } = input;
  const broken = (what: string): never => {
    throw new Error(`invariant broken: ${what}`);
  };

  if (userState !== null && (await snapshotUserState(repository)) !== userState)
    broken("1: the user's checkout was touched");

  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
  const study = database.prepare('SELECT id, base_commit FROM study WHERE tag = ?').get(tag) as {
    id: string;
    base_commit: string;
  };
  const rows = database
    .prepare('SELECT * FROM experiment WHERE study_id = ? ORDER BY n')
    .all(study.id) as Row[];
  const integrity = database.pragma('integrity_check', { simple: true });
  if (integrity !== 'ok') broken(`the ledger is damaged: ${integrity}`);
  const openRuns = database.prepare('SELECT count(*) AS count FROM run WHERE outcome IS NULL').get() as {
    count: number;
  };
  if (openRuns.count > 0) broken('6: a run has no end');
  database.close();

  const attempted = rows.flatMap(row => row.attempt_commit ?? []);
  const [named = '', ...changes] = (
    await gitCalls(
      repository,
      `rev-list --first-parent 'autoresearch/${tag}'`,
      `for-each-ref --format='%(refname) %(objectname)' 'refs/pawl/${tag}'`,
      // A rename counts as two changes.
      ...(attempted.length > 0
        ? [`log --no-walk=unsorted -z --name-only --no-renames --format='%x01%H %P' ${attempted.join(' ')}`]
        : []),
    )
  ).split('\u0001');
  const lines = named.split('\n').filter(Boolean);
  const refs = new Map(
    lines.filter(line => line.includes(' ')).map(line => line.split(' ') as [string, string]),
  );
  /** For each attempt: its parents, and the paths it changes. */
  const attempts = new Map(
    changes.map(text => {
      const [commits = '', ...paths] = text.split('\0');
      const [commit = '', ...parents] = commits.split(' ');
      return [commit, { parents, paths: paths.map(path => path.replace(/^\n/, '')).filter(Boolean) }];
    }),
  );

  // 2: the branch is the chain of kept attempts from the base, each on its predecessor.
  const chain = lines.filter(line => !line.includes(' '));
  const ownChain = chain.slice(0, chain.indexOf(study.base_commit) + 1).reverse();
  const inOrder = rows.toSorted((a, b) => Number(a.verdict_order) - Number(b.verdict_order));
  const keeps = inOrder.filter(row => row.verdict === 'keep' && row.phase === 'recorded');
  const branchCommit = (row: Row | undefined) => row?.branch_commit ?? row?.attempt_commit;
  const expected = keeps.length > 0 ? keeps.map(branchCommit) : [study.base_commit];
  if (ownChain.join() !== expected.join())
    broken(`2: branch ${ownChain.join()} is not the keeps ${expected.join()}`);
  for (const [index, keep] of keeps.entries()) {
    const before = index === 0 ? study.base_commit : branchCommit(keeps[index - 1]);
    if (!keep.branch_commit && keep.parent_commit !== before)
      broken(`2: the parent of keep ${keep.n} is not the incumbent`);
    // The commit that became the incumbent is exactly what was measured.
    if (!keep.branch_commit) continue;
    const trees = await gitCalls(
      repository,
      `rev-parse ${keep.branch_commit}^{tree} ${keep.attempt_commit}^{tree}`,
    );
    const [own, measured] = trees.trim().split('\n');
    if (own !== measured) broken(`2: keep ${keep.n} is not the tree that was measured`);
  }

  // 3: every attempt is reachable at its ref.
  for (const { n, attempt_commit: attempt, verdict, evidence } of rows) {
    if (verdict !== null && attempt === null) broken(`3: experiment ${n} has a verdict but no attempt`);
    const own = [...refs].filter(
      ([ref]) => ref === `refs/pawl/${tag}/${n}` || ref.startsWith(`refs/pawl/${tag}/${n}.`),
    );
    if (attempt !== null && !own.some(([, commit]) => commit === attempt))
      broken(`3: attempt ${n} has no ref`);
    // 7: the verdict names its run; earlier runs may have died before they had a log.
    if (verdict !== null) {
      const { run: k = -1 } = JSON.parse(evidence ?? '{}') as { run?: number };
      const folder = k === 0 ? String(n) : `${n}.${k}`;
      if (!existsSync(join(home, 'studies', study.id, 'runs', folder, 'output.log'))) {
        broken(`3: experiment ${n} has no log of its run ${k}`);
      }
    }
  }
  const numbers = rows.map(row => row.n);
  if (numbers.some((n, index) => n !== index))
    broken(`6: experiments are not numbered without gaps: ${numbers}`);

  // 4: an attempt differs from its parent only in editable files.
  for (const { n, parent_commit: parent, attempt_commit: attempt } of rows) {
    if (!parent || !attempt || parent === attempt) continue;
    const { parents, paths: changed } = attempts.get(attempt) ?? { parents: [], paths: [] };
    if (parents.join() !== parent) broken(`4: attempt ${n} is not on its parent`);
    const foreign = changed.filter(path => !editable.includes(path));
    if (foreign.length > 0 || changed.length === 0)
      broken(`4: attempt ${n} changes ${changed.join() || 'nothing'}`);
  }

  // 5: no process of the study is alive.
  const alive = await findMarked(study.id);
  if (alive.length > 0) broken(`5: processes ${alive.join()} outlived their run`);

  // results.tsv has one line for each recorded experiment.
  const table = await readFile(join(home, 'studies', study.id, 'results.tsv'), 'utf8');
  const recorded = inOrder.filter(row => row.phase === 'recorded');
  const recordedLines = table.trimEnd().split('\n').slice(1);
  if (recordedLines.length !== recorded.length) broken('6: results.tsv is not the ledger');
  for (const [index, row] of recorded.entries()) {
    const { metric, verdict } = row;
    const attempt = branchCommit(row);
    const number = verdict === 'crash' ? '0.000000' : (metric?.toFixed(6) ?? 'nan');
    const expected = [attempt?.slice(0, 7), number].join('\t');
    if (!recordedLines[index]?.startsWith(expected))
      broken(`6: line ${index + 1} of results.tsv is not the ledger's`);
  }
}
