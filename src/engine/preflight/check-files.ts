import type { Contract } from '../../shared/contract/contract.ts';
import { matchEditable, matchPaths } from '../contract/editable.ts';
import { usesUv } from '../process/find-program.ts';

/** A file of a commit, with git's mode. */
type TreeEntry = { readonly mode: string; readonly path: string };

/** A mismatch between a contract and the files of its commit. */
export type FileFault = {
  readonly about: 'editable' | 'locked' | 'instructions' | 'score';
  readonly message: string;
};

/**
 * Checks that every name in the contract matches something: a pattern that matches nothing is misspelt, and a guard
 * that guards nothing is worse than none.
 */
export function findFileFaults(tree: readonly TreeEntry[], contract: Contract): readonly FileFault[] {
  const faults: FileFault[] = [];
  for (const pattern of contract.editable) {
    const matches = tree.filter(entry => matchEditable([pattern])(entry.path));
    if (matches.some(entry => isPlainFile(entry))) continue;
    const why = matches[0] ? `${matches[0].path} is a link or a submodule` : 'no committed file matches';
    faults.push({ about: 'editable', message: `Nothing to edit: ${pattern}: ${why}.` });
  }
  for (const pattern of contract.locked ?? []) {
    if (tree.some(entry => matchPaths([pattern])(entry.path))) continue;
    faults.push({ about: 'locked', message: `Nothing to lock: ${pattern}: no committed file matches.` });
  }
  const { instructions } = contract;
  if (instructions !== null && !tree.some(entry => entry.path === instructions)) {
    faults.push({ about: 'instructions', message: `The instructions ${instructions} are not committed.` });
  }
  const isEditable = matchEditable(contract.editable);
  const own = contract.score?.command
    .split(/[\s"'=;&|()]+/)
    .map(word => word.replace(/^(?:\.\/)+/, ''))
    .find(word => tree.some(({ path }) => path === word) && isEditable(word));
  if (own !== undefined) {
    const message = `score.command names ${own}, which is editable, so an edit could write its own score. Let a locked file score, and put the command that runs the edited code into score.model.`;
    faults.push({ about: 'score', message });
  }
  // If the checkout has no .venv, the runs create uv's environment, and a run that can change it could reach the
  // scorer.
  const ofUv = ['pyproject.toml', 'uv.lock'].find(
    path => tree.some(file => file.path === path) && isEditable(path),
  );
  if (
    contract.score !== null &&
    ofUv !== undefined &&
    usesUv(`${contract.train} ${contract.score.command}`)
  ) {
    const message = `${ofUv} is editable, so an edit could put its own code into the environment of score.command.`;
    faults.push({ about: 'score', message });
  }
  return faults;
}

function isPlainFile({ mode }: TreeEntry): boolean {
  return mode === '100644' || mode === '100755';
}
