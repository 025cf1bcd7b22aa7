import type { Contract } from './contract.ts';

/**
 * Where the user gives a value of the contract, for a sentence of advice: a repository without a pawl.toml has its
 * values from set-up or from the command line.
 * @param key as it stands in a pawl.toml
 * @param field as set-up calls it
 * @param option of the terminal, if there is one
 */
export function whereToWrite(
  source: Contract['source'],
  { key, field, option }: { readonly key: string; readonly field: string; readonly option?: string },
): string {
  const terminal = option === undefined ? [] : [`${option} in the terminal`];
  const [first, ...others] =
    source === 'pawl.toml'
      ? [`${key} in pawl.toml`, ...terminal]
      : [`${field} in set-up`, ...terminal, `${key} in a pawl.toml`];
  return others.length === 0 ? `${first}` : `${first} (or ${others.join(', or ')})`;
}
