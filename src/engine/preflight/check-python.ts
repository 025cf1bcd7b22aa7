import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { matchEditable } from '../contract/editable.ts';
import { isBelow } from '../paths.ts';
import { usesUv } from '../process/find-program.ts';
import { findCompiledModules, findInstalledModule } from '../sandbox/compiled-modules.ts';
import type { CommitFiles } from '../sandbox/contain.ts';
import { projectName } from '../sandbox/installed-projects.ts';
import { isEnvironment, usersVenv, VENV } from '../sandbox/python-environments.ts';
import { importsOf } from '../sandbox/python-path.ts';
import type { Add, TrainingInput } from './training-input.ts';

/**
 * Does the training import what an edit changes? A project that is installed in the environment can be imported from there
 * instead, so that no edit would have an effect.
 */
export function checkImports(
  { contract, environment, repository }: TrainingInput,
  { tree }: CommitFiles,
  add: Add,
): void {
  const paths = new Set(tree.map(({ path }) => path));
  const editable = [...paths].filter(matchEditable(contract.editable));
  const commit = { project: projectName(repository.path), has: (path: string) => paths.has(path) };
  const own = usersVenv(repository);
  const active = [environment.VIRTUAL_ENV, environment.CONDA_PREFIX].filter(path => path !== undefined);
  const usesOwn = usesUv(contract.train) || contract.train.includes(`${VENV}/bin/`);
  for (const place of new Set([...(own === null ? [] : [own]), ...active])) {
    const isUsed = place === own && !active.includes(own) ? usesOwn : !usesOwn;
    const outcome = isUsed && contract.setup === null ? 'failed' : 'warning';
    const installed = findInstalledModule(place, repository, contract, paths);
    const source = editable.find(path => installed?.sources.includes(path));
    if (installed !== null && source !== undefined) {
      add(
        'python environment',
        outcome,
        `${installed.module} was compiled when the project was installed, so an edit of ${source} would change nothing. ` +
          'Let contract.train compile it into the worktree and import it from there, or leave such sources out of contract.editable.',
      );
    }
    for (const { fault, sources } of importsOf(place, repository.path, commit)) {
      const edited = editable.find(path => sources.some(source => source === '' || isBelow(path, source)));
      if (fault === '' || edited === undefined) continue;
      add(
        'python environment',
        outcome,
        `${place} imports code of this project that is not the worktree's (${fault}), so an edit of ${edited} would change nothing. ` +
          'Install the project under its own name by a path ("pip install -e ." with setuptools, hatchling or the like), or let contract.setup build it in the worktree.',
      );
    }
  }
}

/** Does the training lack a module that was compiled in the checkout? */
export async function checkCompiled(
  { contract, environment, repository, commit }: TrainingInput,
  add: Add,
): Promise<void> {
  if (contract.setup !== null) return;
  const { modules, editableSource } = await findCompiledModules(repository, commit, contract, environment);
  const [module] = modules;
  if (module === undefined || editableSource === null) return;
  add(
    'python environment',
    'warning',
    `${module} was compiled in your checkout, and a run lacks it: its sources may be edited (${editableSource}), so it has to be compiled ` +
      'anew in each run. Let contract.train do that, or leave those sources out of contract.editable.',
  );
}

/** Longer than any path. */
const HEAD_BYTES = 5_000;

/**
 * Why a script of a Python environment cannot run, or runs in another one: the environment was moved or copied, and its scripts
 * still name the Python at the old place. Null where all is well.
 */
export function findForeignPython(
  script: string,
): { readonly outcome: 'failed' | 'warning'; readonly detail: string } | null {
  const bin = dirname(script);
  const python = pythonOf(script);
  if (python === null || dirname(python) === bin || !isEnvironment(dirname(bin))) return null;
  const advice = `The environment ${dirname(bin)} was moved or copied. Create it anew, or start "python -m" with the module's name.`;
  return existsSync(python)
    ? { outcome: 'warning', detail: `${script} runs in another environment, with ${python}. ${advice}` }
    : { outcome: 'failed', detail: `${script} starts ${python}, which does not exist. ${advice}` };
}

/** The Python that a script names in its first line, or behind it where the path is too long for that line. */
function pythonOf(script: string): string | null {
  const head = headOf(script);
  const long = /^#!\/bin\/sh\n'''exec' "?(\/.*?\/python[\d.]*)"? /.exec(head);
  return long?.[1] ?? /^#! ?(\/\S*\/python[\d.]*)\s/.exec(head)?.[1] ?? null;
}

function headOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
