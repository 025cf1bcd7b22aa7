import { posix } from 'node:path';
import { parse } from 'yaml';

/** The configs that a training composes of those in a folder. */
export type Composed = { readonly folder: string; readonly paths: ReadonlySet<string> };

/** A larger composition is not read to its end. */
const MAX_CONFIGS = 200;

type Read = (path: string) => Promise<string | null>;

/**
 * The configs that Hydra composes for a program: the primary one and those that its defaults name, or that the command
 * chooses (`trainer=gpu`, `+experiment=small`). A config that another replaces counts too. Null if the program does not use
 * Hydra, or has its configs in its own folder, where other files may lie.
 */
export async function readComposed(
  program: string,
  source: string,
  command: string,
  read: Read,
): Promise<Composed | null> {
  const call = /\bhydra\.main\(([^)]{0,1000})\)/.exec(source)?.[1];
  if (call === undefined) return null;
  const given = (name: string) => new RegExp(`\\b${name}\\s*=\\s*["']([^"']+)["']`).exec(call)?.[1];
  const [path, name] = [given('config_path'), given('config_name')];
  const asked = /--config-name[= ](\S+)|-cn (\S+)/.exec(command);
  const primary = asked?.[1] ?? asked?.[2] ?? name;
  if (path === undefined || primary === undefined) return null;
  const folder = posix.join(posix.dirname(program), path);
  if (folder === posix.dirname(program)) return null;
  const composition = new Composition(folder, chosenIn(command), read);
  await composition.add(posix.join(folder, primary));
  return composition.paths.size === 0 ? null : { folder, paths: await composition.whole() };
}

/** What the command chooses for each group. */
function chosenIn(command: string): ReadonlyMap<string, readonly string[]> {
  const choices = command.matchAll(/(?:^|\s)\+{0,2}([\w/-]+)=([\w/,-]+)(?=\s|$)/g);
  return new Map([...choices].map(([, group = '', options = '']) => [group, options.split(',')]));
}

class Composition {
  readonly paths = new Set<string>();
  readonly #folder: string;
  readonly #chosen: ReadonlyMap<string, readonly string[]>;
  readonly #read: Read;

  constructor(folder: string, chosen: ReadonlyMap<string, readonly string[]>, read: Read) {
    this.#folder = folder;
    this.#chosen = chosen;
    this.#read = read;
  }

  /** With what the command adds to groups that no defaults name. */
  async whole(): Promise<ReadonlySet<string>> {
    for (const [group, options] of this.#chosen) {
      for (const option of options) await this.add(posix.join(this.#folder, group, option));
    }
    return this.paths;
  }

  /** A config, with or without its ending, and those of its defaults. */
  async add(name: string): Promise<void> {
    const path = name.endsWith('.yaml') ? name : `${name}.yaml`;
    if (this.paths.has(path) || this.paths.size >= MAX_CONFIGS) return;
    const text = await this.#read(path);
    if (text === null) return;
    this.paths.add(path);
    for (const entry of defaultsOf(text)) {
      if (typeof entry === 'string') await this.add(this.#below(path, entry));
      else if (typeof entry === 'object' && entry !== null) {
        for (const [key, value] of Object.entries(entry)) await this.#addGroup(path, key, value);
      }
    }
  }

  /** @param key the group, as in `override /trainer@train` */
  async #addGroup(path: string, key: string, value: unknown): Promise<void> {
    const group = this.#below(path, key.replace(/^(?:(?:override|optional)\s+)+|@.*$/g, ''));
    const chosen = this.#chosen.get(posix.relative(this.#folder, group));
    for (const option of chosen ?? [value].flat()) {
      if (typeof option === 'string') await this.add(posix.join(group, option));
    }
  }

  #below(path: string, name: string): string {
    return posix.join(name.startsWith('/') ? this.#folder : posix.dirname(path), name);
  }
}

function defaultsOf(text: string): readonly unknown[] {
  try {
    const defaults: unknown = parse(text)?.defaults;
    return Array.isArray(defaults) ? defaults : [];
  } catch {
    // Hydra will say what is wrong with it.
    return [];
  }
}
