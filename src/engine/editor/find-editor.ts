import { basename } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { findProgram } from '../process/find-program.ts';

/** Which arguments an editor takes: a folder, files, or a folder together with files in it. */
type Takes = 'both' | 'folder' | 'files';

/** Editors with a window of their own, in order of preference. A terminal editor would have no window. */
const EDITORS: Readonly<Record<string, Takes>> = {
  ...{ code: 'both', cursor: 'both', windsurf: 'both', codium: 'both', zed: 'both', zeditor: 'both' },
  ...{ subl: 'both', pycharm: 'folder', idea: 'folder', fleet: 'folder', lapce: 'folder' },
  ...{ kate: 'files', gedit: 'files', 'gnome-text-editor': 'files', gvim: 'files', mousepad: 'files' },
};

export type Editor = {
  /** An absolute path. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly takes: Takes;
};

/**
 * The editor to open things with: the one in the user's settings, else `VISUAL` or `EDITOR` if it has a window, else
 * the first of {@link EDITORS} on the PATH. Rejects with `usage` if there is none, or no screen.
 * @param configured program and arguments
 */
export async function findEditor(
  environment: NodeJS.ProcessEnv,
  configured: readonly string[] | undefined,
): Promise<Editor> {
  const { PATH: path = '', VISUAL = '', EDITOR = '' } = environment;
  if (!environment.DISPLAY && !environment.WAYLAND_DISPLAY) {
    throw new PawlError('usage', 'Pawl runs where there is no screen, so it can open no editor.');
  }
  if (configured) {
    const editor = await locate(configured, path);
    if (editor) return editor;
    throw new PawlError('usage', `The editor ${configured[0]} of your settings.toml was not found.`);
  }
  const named = [VISUAL, EDITOR].map(line => line.split(/\s+/).filter(Boolean));
  const graphical = named.filter(([program = '']) => basename(program) in EDITORS);
  for (const command of [...graphical, ...Object.keys(EDITORS).map(name => [name])]) {
    const editor = await locate(command, path);
    if (editor) return editor;
  }
  throw new PawlError(
    'usage',
    'No editor with a window was found. Name one in settings.toml in the data folder: editor = ["code"].',
  );
}

async function locate([name = '', ...rest]: readonly string[], path: string): Promise<Editor | null> {
  const program = await findProgram(name, path);
  return program === null ? null : { program, arguments: rest, takes: EDITORS[basename(name)] ?? 'folder' };
}
