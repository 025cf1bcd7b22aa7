import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { requireProgram } from '../../src/engine/proposers/agent/programs.ts';
import { REAL_NAMES, type RealName } from '../support/agent-recordings.ts';
import programs from './programs.json' with { type: 'json' };

const run = promisify(execFile);

/** Where `npm run test:agents` has installed the programs: a folder of that name for each. */
const CACHE = process.env.PAWL_AGENTS_CACHE ?? '';

/** Programs that speak the Agent Client Protocol for another one, which they bring along. */
const BRIDGE_NAMES = ['claude-acp', 'codex-acp'] as const;
export type Installed = RealName | (typeof BRIDGE_NAMES)[number];

/** Those that are asked for and installed; the script says which are not, and why. */
const tried = (process.env.PAWL_AGENTS_TRIED ?? '').split(',');
export const TRIED = REAL_NAMES.filter(name => tried.includes(name));
export const BRIDGES = BRIDGE_NAMES.filter(name => tried.includes(name));

/** Programs that are one file. */
const BINARIES: readonly Installed[] = ['claude', 'opencode'];

export type Layout =
  /** `~/.local/bin/claude -> ../../.local/share/claude/versions/X`, as Claude Code's own installer does. */
  | 'native'
  /** `npm install --global` with a prefix in home. */
  | 'npm-global'
  /** `node_modules/.bin` of a folder in home. */
  | 'npm-local';

/**
 * A folder for homes that goes when the test does. Not where temporary files are: Codex runs no command where its
 * settings lie there, and says nothing of it.
 */
export async function lastingFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp('/var/tmp/pawl-agents-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** The `node_modules` that npm made for the program. */
export function installedIn(agent: Installed): string {
  return join(CACHE, agent, 'node_modules');
}

/** Lays the program into a home as its installer does; returns the folder for the PATH. */
export async function layOut(agent: Installed, layout: Layout, home: string): Promise<string> {
  const installed = installedIn(agent);
  const { program } = requireProgram(agent, { agents: {} });
  const { version } = programs[agent];
  switch (layout) {
    case 'native': {
      const share = join('.local/share', agent, 'versions', version);
      const isBinary = BINARIES.includes(agent);
      const inner = isBinary ? '' : join('node_modules', await innerName(installed, program));
      await (isBinary
        ? copy(await realpath(join(installed, '.bin', program)), join(home, share))
        : copy(installed, join(home, share, 'node_modules')));
      const bin = join(home, '.local/bin');
      await mkdir(bin, { recursive: true });
      await symlink(join('../..', share, inner), join(bin, program));
      return bin;
    }
    case 'npm-global': {
      const lib = join(home, '.npm-global/lib/node_modules');
      await copy(installed, lib);
      const bin = join(home, '.npm-global/bin');
      await mkdir(bin, { recursive: true });
      await symlink(join('../lib/node_modules', await innerName(installed, program)), join(bin, program));
      return bin;
    }
    case 'npm-local':
      await copy(installed, join(home, 'tools/node_modules'));
      return join(home, 'tools/node_modules/.bin');
  }
}

/** Of the program, below `node_modules`. */
async function innerName(installed: string, program: string): Promise<string> {
  const target = await realpath(join(installed, '.bin', program));
  return target.slice((await realpath(installed)).length + 1);
}

/** By hard links where that can be: a program has some 400 MB. */
async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await run('cp', ['-al', from, to]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-a', from, to]);
  });
}
