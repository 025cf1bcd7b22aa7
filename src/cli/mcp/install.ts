import { mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { applyEdits, modify, type ParseError, parse } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { findShipped } from '../../engine/resources.ts';
import { PawlError } from '../../shared/errors.ts';

const MCP_CLIENTS = ['claude', 'codex', 'gemini', 'opencode'] as const;
export type McpClient = (typeof MCP_CLIENTS)[number];

const NAME = 'pawl';

type Environment = Readonly<Record<string, string | undefined>>;
type Entry = {
  /** The client's settings file. */
  readonly file: string;
  /** Returns the file's text with the entry added. */
  readonly add: (text: string) => string;
  /** The entry on its own. */
  readonly shown: string;
};

/** A client's settings, with a timeout long enough for an experiment if possible. From each client's own documentation. */
function entryFor(client: McpClient, environment: Environment): Entry {
  const home = environment.HOME || homedir();
  const command = process.execPath;
  // A checkout has its launcher, which rebuilds changed files first.
  const launcher = findShipped(join('scripts', 'pawl.mjs')) ?? resolve(process.argv[1] ?? '');
  const args = [launcher, 'mcp'];
  // Clients pass few of the user's variables to servers.
  const env = environment.PAWL_HOME ? { PAWL_HOME: environment.PAWL_HOME } : {};
  const json = (file: string, path: readonly string[], value: object): Entry => ({
    file,
    add: text => addJson(file, text, path, value),
    shown: JSON.stringify(nest(path, value), null, 2),
  });
  switch (client) {
    case 'claude': {
      const folder = environment.CLAUDE_CONFIG_DIR ?? home;
      return json(join(folder, '.claude.json'), ['mcpServers', NAME], { type: 'stdio', command, args, env });
    }
    case 'codex': {
      const file = join(environment.CODEX_HOME ?? join(home, '.codex'), 'config.toml');
      const shown = [
        `[mcp_servers.${NAME}]`,
        `command = ${JSON.stringify(command)}`,
        `args = ${JSON.stringify(args)}`,
        ...(env.PAWL_HOME ? [`env = { PAWL_HOME = ${JSON.stringify(env.PAWL_HOME)} }`] : []),
      ].join('\n');
      return { file, shown, add: text => addToml(file, text, shown) };
    }
    case 'gemini': {
      const folder = join(environment.GEMINI_CLI_HOME ?? home, '.gemini');
      return json(join(folder, 'settings.json'), ['mcpServers', NAME], { command, args, env });
    }
    case 'opencode': {
      const folder = join(environment.XDG_CONFIG_HOME ?? join(home, '.config'), 'opencode');
      const value = { type: 'local', command: [command, ...args], environment: env, enabled: true };
      return json(join(folder, 'opencode.json'), ['mcp', NAME], value);
    }
  }
}

function nest(path: readonly string[], value: object): object {
  return path.reduceRight<object>((inner, key) => ({ [key]: inner }), value);
}

function addJson(file: string, text: string, path: readonly string[], value: object): string {
  const errors: ParseError[] = [];
  const before = text.trim() === '' ? '{}' : text;
  parse(before, errors, { allowTrailingComma: true });
  if (errors.length > 0)
    throw new PawlError('usage', `${file} is not valid JSON; nothing was written to it.`);
  const formattingOptions = { insertSpaces: true, tabSize: 2 };
  return applyEdits(before, modify(before, [...path], value, { formattingOptions }));
}

function addToml(file: string, text: string, entry: string): string {
  let table: Record<string, unknown>;
  try {
    table = parseToml(text);
  } catch {
    throw new PawlError('usage', `${file} is not valid TOML; nothing was written to it.`);
  }
  const servers = (table.mcp_servers ?? {}) as Record<string, unknown>;
  if (servers[NAME] !== undefined) {
    throw new PawlError('usage', `${file} has an entry [mcp_servers.${NAME}] already; remove it first.`);
  }
  const after = `${text.trimEnd()}${text.trim() === '' ? '' : '\n\n'}${entry}\n`;
  try {
    parseToml(after);
  } catch {
    throw new PawlError(
      'usage',
      `${file} lists its servers in another form; add the entry by hand:\n\n${entry}`,
    );
  }
  return after;
}

/**
 * Prints the entry that registers Pawl with an agent, or writes it into the agent's own settings. Rejects with
 * `usage` if those cannot be read.
 */
export async function installMcp(
  client: McpClient,
  isWritten: boolean,
  environment: Environment,
): Promise<string> {
  const { file, shown, add } = entryFor(client, environment);
  if (!isWritten) return `Put this into ${file}, or let --write do it:\n\n${shown}\n`;
  const before = await readFile(file, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new PawlError('usage', `${file} cannot be read: ${(error as Error).message}`);
  });
  const after = add(before);
  // If the settings file is a link, it stays one.
  const place = await realpath(file).catch(() => file);
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${place}.${process.pid}`;
  await writeFile(fresh, after, { mode: 0o600 });
  await rename(fresh, place);
  return `${file} now names Pawl. Restart ${client}, and ask it to list Pawl's studies.\n`;
}
