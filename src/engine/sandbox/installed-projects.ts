import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { isBelow } from '../paths.ts';

/** A project that was installed in a Python environment from a folder. */
export type InstalledProject = {
  readonly name: string;
  /** Where it was installed from, absolute. */
  readonly folder: string;
  /** Whether the environment holds its files; otherwise it imports them from the folder. */
  readonly isCopy: boolean;
  /** The files that its installation added to `site-packages`. */
  readonly files: readonly string[];
};

export function sitePackages(environment: string): readonly string[] {
  return namesIn(join(environment, 'lib'))
    .filter(name => name.startsWith('python'))
    .map(name => join(environment, 'lib', name, 'site-packages'));
}

const directUrl = z.object({
  url: z.string().startsWith('file://'),
  dir_info: z.object({ editable: z.boolean().default(false) }),
});

/** Sources: the Python packaging guide, "Recording installed projects" (`RECORD`) and "Direct URL". */
function listInstalled(site: string): readonly InstalledProject[] {
  return namesIn(site).flatMap(folder => {
    if (!folder.endsWith('.dist-info')) return [];
    const origin = parseOrigin(textOf(join(site, folder, 'direct_url.json')));
    if (!origin) return [];
    const files = textOf(join(site, folder, 'RECORD'))
      .split(/\r?\n/)
      .map(line => line.replace(/,[^,]*,\d*$/, ''))
      .filter(path => path !== '' && !/^\.\.\/|\.dist-info\/|(?:^|\/)__pycache__\//.test(path));
    return { ...origin, name: spellName(folder.split('-')[0] ?? ''), files };
  });
}

/** What is installed of one project: from its checkout, or under its name from a copy of that. */
export function listOwn(site: string, checkout: string, project: string | null): readonly InstalledProject[] {
  return listInstalled(site).filter(({ folder, name }) => isBelow(folder, checkout) || name === project);
}

function parseOrigin(text: string): Pick<InstalledProject, 'folder' | 'isCopy'> | null {
  try {
    const { url, dir_info } = directUrl.parse(JSON.parse(text));
    return { folder: fileURLToPath(url), isCopy: !dir_info.editable };
  } catch {
    return null;
  }
}

const pyproject = z.object({ project: z.object({ name: z.string() }) });

/** The name of the project in a folder; null where its `pyproject.toml` gives none. */
export function projectName(folder: string): string | null {
  try {
    return spellName(pyproject.parse(parse(textOf(join(folder, 'pyproject.toml')))).project.name);
  } catch {
    return null;
  }
}

/** All spellings of a name are one name. Source: the Python packaging guide, "Names and normalization". */
function spellName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '_');
}

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** '' where there is no such file. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
