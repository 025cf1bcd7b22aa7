import { stat } from 'node:fs/promises';
import { PawlError, unreachable } from '../../shared/errors.ts';
import type { ProposerSettings } from '../../shared/study.ts';
import { commandProposer } from './command.ts';
import { patchesProposer } from './patches.ts';
import type { Proposer } from './proposer.ts';
import { searchProposer } from './search/search-proposer.ts';

/** Rejects with `proposer_invalid` where the settings cannot work. */
export async function createProposer(settings: ProposerSettings): Promise<Proposer> {
  switch (settings.kind) {
    case 'search':
      return searchProposer(settings.seed);
    case 'command':
      return commandProposer(settings);
    case 'patches': {
      const isFolder = await stat(settings.folder).then(
        found => found.isDirectory(),
        () => false,
      );
      if (!isFolder) {
        throw new PawlError('proposer_invalid', `There is no folder of patches at ${settings.folder}.`);
      }
      return patchesProposer(settings.folder);
    }
    default:
      return unreachable(settings);
  }
}
