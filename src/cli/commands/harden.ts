import { HARDEN_BRANCH, harden as hardenRepository } from '../../engine/harden/harden.ts';
import { dataPaths } from '../../engine/paths.ts';
import { print } from '../print.ts';

export type HardenFlags = {
  readonly heldOut?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
};

/** Commits a scorer that measures a repository's training from outside, on a separate branch, and shows the commit. */
export async function harden(path: string, flags: HardenFlags): Promise<void> {
  const { base, commit, diff, uncommitted, notes, replaced } = await hardenRepository(path, {
    scratch: dataPaths(process.env).scratch,
    heldOut: flags.heldOut ?? null,
    isReplacing: flags.force === true,
    isDry: flags.dryRun === true,
  });
  if (flags.json) {
    const branch = commit === null ? null : HARDEN_BRANCH;
    return print(JSON.stringify({ branch, base, commit, replaced, uncommitted, notes, diff }, null, 2));
  }
  process.stdout.write(diff);
  if (uncommitted.length > 0)
    process.stderr.write(`It does not include your uncommitted changes to ${uncommitted.join(', ')}.\n`);
  for (const note of notes) process.stderr.write(`${note}\n`);
  if (commit === null) return;
  print('');
  print(
    `The branch ${HARDEN_BRANCH} now has this, one commit after ${base.slice(0, 12)}. Your checkout is unchanged.`,
  );
  if (replaced !== null) print(`Before, it was at ${replaced}, which git keeps for a while.`);
  print(`To use it:  git merge ${HARDEN_BRANCH}`);
  print('After that, studies that you start, with "pawl run" or in the window, are scored.');
}
