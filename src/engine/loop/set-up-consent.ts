import { createHash } from 'node:crypto';
import { PawlError } from '../../shared/errors.ts';
import type { SetUpView } from '../../shared/notebook.ts';
import { TrackedPaths } from '../contract/tracked-paths.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { listTree, type Repository, readBlob } from '../repo/repository.ts';

/**
 * The set-up command runs outside of the sandbox, with everything its user can do, and a repository may bring it. So it is
 * shown word for word, with the files it names, and agreed to once for this content. What those files call in turn is not
 * looked into.
 */

/** Under which the ledger keeps that the user agreed to a content. */
const SETTING = 'set-up';
/** Of each file so much is shown; all of it counts. */
const SHOWN_BYTES = 64 * 1024;
const MAX_FILES = 20;

/** Files that a program reads what to do from, without their being named. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  make: ['Makefile', 'makefile', 'GNUmakefile'],
  npm: ['package.json'],
  npx: ['package.json'],
  pnpm: ['package.json'],
  yarn: ['package.json'],
  bun: ['package.json'],
  pip: ['pyproject.toml', 'setup.py', 'requirements.txt'],
  pip3: ['pyproject.toml', 'setup.py', 'requirements.txt'],
  uv: ['pyproject.toml'],
  poetry: ['pyproject.toml'],
  cargo: ['Cargo.toml', 'build.rs'],
  bundle: ['Gemfile'],
  cmake: ['CMakeLists.txt'],
  just: ['justfile'],
};

export type SetUpText = Omit<SetUpView, 'isAgreed'>;

/** What a set-up command of a commit is, and a digest of all of it. */
export async function readSetUp(repository: Repository, commit: string, command: string): Promise<SetUpText> {
  const tree = await listTree(repository, commit);
  const tracked = new TrackedPaths(tree.map(({ path }) => path));
  const words = command.split(/[\s;&|()<>"'=]+/).filter(Boolean);
  const named = words
    .map(word => tracked.resolve(word, ''))
    .filter(path => path !== null && tracked.has(path));
  const implied = words.flatMap(word => IMPLIED[word] ?? []).filter(path => tracked.has(path));
  const paths = [...new Set([...named, ...implied])].filter(path => path !== null).slice(0, MAX_FILES);
  const hash = createHash('sha256').update(command);
  const files: { path: string; text: string; isCut: boolean }[] = [];
  for (const path of paths) {
    const bytes = (await readBlob(repository, commit, path)) ?? Buffer.alloc(0);
    hash.update(`\0${path}\0${bytes.length}\0`).update(bytes);
    files.push({ path, text: bytes.toString('utf8', 0, SHOWN_BYTES), isCut: bytes.length > SHOWN_BYTES });
  }
  return { command, files, digest: hash.digest('hex') };
}

export function hasAgreedToSetUp(ledger: Ledger, digest: string): boolean {
  return ledger.settings.get(`${SETTING} ${digest}`) === true;
}

/** Call it inside `ledger.write`. */
export function agreeToSetUp(ledger: Ledger, digest: string): void {
  ledger.settings.set(`${SETTING} ${digest}`, true);
}

/** For a study whose set-up command nobody has agreed to. */
export function setUpUnagreed({ command, files }: SetUpText): PawlError {
  const what = files.length > 0 ? `, which reads ${files.map(({ path }) => path).join(', ')}` : '';
  return new PawlError(
    'setup_unagreed',
    `The set-up command would run as you, outside of the sandbox: ${command}${what}. Read it and agree to it once: ` +
      '--trust-setup in the terminal, the tick in the window.',
  );
}
