import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { dataPaths } from '../../src/engine/paths.ts';
import type { StackPorts } from '../../src/engine/stack/stack.ts';
import { openLedger } from '../../src/engine/store/ledger.ts';
import type { Verdict } from '../../src/shared/study.ts';
import { plainStudy } from './plain-study.ts';
import { createRepository, git, temporaryFolder } from './scaffold.ts';

/** One experiment of a night; its place gives its number, starting at 1. */
export type Tried = {
  /** Shell commands that edit the files of the best so far. */
  readonly edit: string;
  readonly metric: number;
  readonly verdict?: 'keep' | 'discard' | 'rolled_back';
  readonly hypothesis?: string;
  readonly rationale?: string;
};

/** One constant per line. */
const TRAIN = `${['LR', 'DEPTH', 'WIDTH', 'BETA'].map(name => `${name} = 1`).join('\n')}\nprint(LR)\n`;

export const set = (name: string, value: number) => `sed -i 's/^${name} = .*/${name} = ${value}/' train.py`;

/**
 * A finished study `night`: its experiments in the ledger, their commits at refs as an engine makes them. An
 * experiment that was taken back was kept for a while, and the next one builds on the keep before it.
 */
export async function keptNight(
  tried: readonly Tried[],
  files: Readonly<Record<string, string | Buffer>> = {},
  /** Replaces the repository by another checkout of it for the study. */
  checkOut = async (repository: string) => repository,
) {
  const repository = await checkOut(
    await createRepository({ 'train.py': TRAIN, 'README.md': 'Mine.\n', ...files }),
  );
  await git(repository, 'config', 'user.name', 'Ada Lovelace');
  await git(repository, 'config', 'user.email', 'ada@localhost');
  const base = await git(repository, 'rev-parse', 'HEAD');
  const home = join(await temporaryFolder(), 'home');
  const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
  onTestFinished(() => ledger.close());
  const study = plainStudy({
    ...{ repositoryPath: repository, gitDir: join(repository, '.git'), baseCommit: base },
    ...{ state: 'stopped', stopReason: 'user' },
  });
  ledger.write(() => ledger.studies.insert(study));
  const record = (n: number, parent: string, commit: string, verdict: Verdict, words: Partial<Tried>) => {
    const { hypothesis = `Idea ${n}`, rationale = null } = words;
    ledger.write(() => {
      const id = study.id;
      ledger.experiments.begin(id, n, { commit: parent }, 1_700_000_000_000 + n * 60_000);
      const proposal = { hypothesis, rationale, predictedEffect: null, category: null, memo: null };
      ledger.experiments.propose(id, n, proposal);
      ledger.experiments.attempt(id, n, { commit, editDigest: `d${n}`, sourceLines: 5 });
      ledger.experiments.decide(id, n, verdict, 1_700_000_030_000 + n * 60_000);
      ledger.experiments.setPhase(id, n, 'recorded');
    });
  };
  record(0, base, base, { word: 'keep', reason: 'baseline', evidence: { run: 0, metric: 1 } }, {});
  const commits = [base];
  const worktree = join(await temporaryFolder(), 'work');
  await git(repository, 'worktree', 'add', '--quiet', '--detach', worktree, base);
  let best = { n: 0, commit: base, metric: 1 };
  for (const [place, { edit, metric, verdict = 'keep', ...words }] of tried.entries()) {
    const n = place + 1;
    await git(worktree, 'checkout', '--quiet', '--detach', best.commit);
    await promisify(execFile)('sh', ['-ec', edit], { cwd: worktree });
    await git(worktree, 'add', '--all');
    await git(worktree, 'commit', '--quiet', '--allow-empty', '-m', `attempt ${n}`);
    const commit = await git(worktree, 'rev-parse', 'HEAD');
    await git(repository, 'update-ref', `refs/pawl/night/${n}`, commit);
    const evidence = { run: 0, metric, incumbentExperiment: best.n, incumbentMetric: best.metric };
    record(n, best.commit, commit, verdictOf(verdict, evidence), words);
    commits.push(commit);
    if (verdict === 'keep') best = { n, commit, metric };
  }
  await git(repository, 'worktree', 'remove', '--force', worktree);
  const ports: StackPorts = {
    ...{ ledger, paths: dataPaths({ PAWL_HOME: home }), environment: {}, now: () => 1_700_100_000_000 },
  };
  return { repository, home, ledger, study, ports, commits };
}

function verdictOf(word: NonNullable<Tried['verdict']>, evidence: Verdict['evidence']): Verdict {
  if (word === 'keep') return { word, reason: 'better', evidence };
  return { word: 'discard', reason: word === 'discard' ? 'worse' : 'rolled_back', evidence };
}

/** The content at a path of a commit or a tree. */
export function readAt(repository: string, commit: string, path: string): Promise<string> {
  return git(repository, 'show', `${commit}:${path}`);
}
