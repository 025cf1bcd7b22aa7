import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'docs/adr'].flatMap(folder =>
    readdirSync(join(ROOT, folder))
      .filter(name => name.endsWith('.md'))
      .map(name => join(folder, name)),
  ),
];
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): readonly string[] {
  const headings = read(page).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(PAGES)('each link of %s leads somewhere', page => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const dead = links
    .filter(link => !/^https?:/.test(link))
    .filter(link => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
    });
  expect(dead).toEqual([]);
});

test('each file that docs/where-a-change-goes.md names is there', () => {
  const rows = read('docs/where-a-change-goes.md')
    .split('\n')
    .filter(line => line.startsWith('| '));
  const roots = ['src/engine', 'src', 'src/renderer', '.'];
  const missing = rows.flatMap(row => {
    let folder = '';
    return [...row.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => {
      if (!/[/.]/.test(name) || name.includes('*')) return [];
      // A name alone stands in the folder of the one before it.
      const places = name.includes('/') ? roots : [...roots, ...roots.map(root => join(root, folder))];
      const isThere = places.some(place => existsSync(join(ROOT, place, name)));
      if (name.includes('/')) folder = name.endsWith('/') ? name : dirname(name);
      return isThere ? [] : [name];
    });
  });
  expect(missing).toEqual([]);
});
