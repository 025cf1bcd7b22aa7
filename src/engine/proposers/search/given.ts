import type { Contract } from '../../../shared/contract/contract.ts';

/** Names of variables and options that the environment or the command sets: the value in the file is not used. */
export type Given = ReadonlySet<string>;

/** For a file that takes no part in the training. */
export const EVERYTHING: Given = new (class extends Set<string> {
  override has(): boolean {
    return true;
  }
})();

/** How a name is given only to fields of classes. */
export function fieldOf(name: string): string {
  return `.${name}`;
}

/** Definitions for the preprocessor. */
export const DEFINED = /(?<!\w)-D\s*(\w+)/g;

/**
 * Variables that the contract passes on, and assignments, options and definitions in its command: `LR=1`, `--lr 1`,
 * `optimizer.lr=1`, `-DTILE=8`.
 */
export function givenBy({ environment, train }: Pick<Contract, 'environment' | 'train'>): Given {
  const given = new Set([...environment, ...optionsOf(train)]);
  for (const word of train.split(/\s+/)) {
    const [name = ''] = word.split('=', 1);
    if (word.includes('=') && !name.startsWith('-')) given.add(name);
  }
  for (const [, name = ''] of train.matchAll(DEFINED)) given.add(name);
  return given;
}

/** The options in a command, also as their names inside a program. */
export function optionsOf(command: string): readonly string[] {
  const options = command
    .split(/\s+/)
    .flatMap(word => (word.startsWith('-') ? [word.split('=', 1)[0] ?? ''] : []));
  return options.flatMap(option => [option, plainOption(option)]);
}

/** The name of `--optim.weight-decay` inside a program: `weight_decay`. */
export function plainOption(option: string): string {
  return (option.replace(/^-+/, '').split('.').at(-1) ?? '').replaceAll('-', '_');
}
