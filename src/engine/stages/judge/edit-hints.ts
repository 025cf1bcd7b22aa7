import { basename } from 'node:path';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { Study } from '../../../shared/study.ts';
import type { Hint } from '../../../shared/verdicts/probes.ts';
import { readDiff } from '../../git/diff.ts';
import type { Repository } from '../../git/repository.ts';

/**
 * Names that an honest edit rarely mentions, in Python and elsewhere. They are hints for a reader; none of them
 * decides anything.
 */
const NAMES: readonly (readonly [Exclude<Hint, 'jump' | 'bound'>, RegExp])[] = [
  ['evaluation', /\beval(?:uat\w*|_\w+)|\w_eval(?:uat\w*)?\b/i],
  [
    'validation',
    /\bval(?:id(?:ation)?)?_?(?:data|set|split|path|file|shard|loader|tokens|docs)\w*|\bheld_?out\w*|\btest_?(?:set|data|split)\b/i,
  ],
  ['seed', /\b\w*seed\w*\b|\brandom_state\b/i],
  ['timer', /\btime\.(?:time|perf_counter|monotonic|process_time)|\bperf_counter\b|\b\w*time_?budget\w*\b/i],
];

/** Reasons to look closer at an edit, from the names in its changed lines. */
export async function findEditHints(
  repository: Repository,
  parent: string,
  commit: string,
  { metric, audit }: Pick<Contract, 'metric' | 'audit'>,
): Promise<readonly Hint[]> {
  const diff = await readDiff(repository, parent, commit);
  const own: Partial<Record<Hint, readonly string[]>> = {
    // `loss` and `acc` appear in every training.
    evaluation: /[_/]/.test(metric.name) ? [metric.name] : [],
    // A folder's name says too little.
    validation: audit.swaps.map(({ path }) => basename(path)).filter(name => name.includes('.')),
  };
  const changed = diff.split('\n').filter(line => /^[+-](?![+-]{2} )/.test(line));
  return NAMES.filter(([hint, pattern]) =>
    changed.some(line => pattern.test(line) || own[hint]?.some(name => hasWord(line, name))),
  ).map(([hint]) => hint);
}

function hasWord(line: string, name: string): boolean {
  const at = line.indexOf(name);
  const isPart = (character: string | undefined) => character !== undefined && /\w/.test(character);
  return at >= 0 && !isPart(line[at - 1]) && !isPart(line[at + name.length]);
}

/** Whether an edit has to wait for the user because of the names in it, although the study needs no approval. */
export async function isHeld(
  {
    repository,
    study: { contract },
  }: { readonly repository: Repository; readonly study: Pick<Study, 'contract'> },
  parent: string,
  commit: string,
): Promise<boolean> {
  return (
    contract.audit.approvesHints && (await findEditHints(repository, parent, commit, contract)).length > 0
  );
}
