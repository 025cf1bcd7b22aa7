import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PawlError } from '../shared/errors.ts';

export type RepositoryFlag = { readonly repository?: string };

/** Lets a command take the repository as its last argument and, like git, with `-C`. See {@link chooseRepository}. */
export function repositoryArgument(command: Command): Command {
  return repositoryOption(command.argument('[path]', 'the repository; default: this folder'));
}

/** For commands whose arguments are words, which could look like a path. */
export function repositoryOption(command: Command): Command {
  return command.option('-C, --repository <path>', 'the repository; default: this folder');
}

/** The folder a command should use. Throws `usage` if argument and option name different folders. */
export function chooseRepository(path: string | undefined, { repository }: RepositoryFlag): string {
  if (path !== undefined && repository !== undefined && resolve(path) !== resolve(repository)) {
    throw new PawlError('usage', `You named two repositories, ${path} and ${repository}: name only one.`);
  }
  return path ?? repository ?? '.';
}
