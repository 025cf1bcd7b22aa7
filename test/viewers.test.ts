import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { HunkTokens } from 'react-diff-view';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canColour, highlightHunk, languageOf } from '../src/renderer/viewers/highlight-hunk.ts';
import { compareWords, markWords, pairChanges } from '../src/renderer/viewers/mark-words.ts';
import { type DiffFile, MAX_LINE_CHARACTERS, parseDiff } from '../src/renderer/viewers/parse-diff.ts';
import { readQuotedPath, showPath } from '../src/renderer/viewers/quoted-path.ts';

function parsed(diff: string): readonly DiffFile[] {
  const files = parseDiff(diff);
  if (files === null) throw new Error('This should have been read as a diff.');
  return files;
}

function only(diff: string): DiffFile {
  const [file, ...others] = parsed(diff);
  if (file === undefined || others.length > 0) throw new Error('One file was expected.');
  return file;
}

const simple = (before: readonly string[], after: readonly string[], path = 'train.py') =>
  [
    `diff --git a/${path} b/${path}`,
    'index 1111111..2222222 100644',
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -1,${before.length} +1,${after.length} @@`,
    ...before.map(line => `-${line}`),
    ...after.map(line => `+${line}`),
    '',
  ].join('\n');

describe('a diff is read', () => {
  let folder = '';
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: folder }).toString();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pawl-diff-'));
    git('init', '-q');
    git('config', 'core.autocrlf', 'false');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('as git prints it, whatever the path', () => {
    const paths = [
      'plain.py',
      'with blank.py',
      'two  blanks b/here.py',
      'ünï.py',
      '日本.md',
      ...(process.platform === 'win32'
        ? []
        : ['tab\there.py', 'quo"te.py', 'back\\slash.py', 'line\nbreak.py']),
    ];
    for (const path of paths) {
      const target = path.includes('/') ? path.replaceAll('/', '_') : path;
      writeFileSync(join(folder, target), 'one\ntwo\n');
    }
    git('add', '-A');
    git('commit', '-qm', 'before');
    for (const path of paths) writeFileSync(join(folder, path.replaceAll('/', '_')), 'one\nTWO\n');
    const files = parsed(git('diff', '--no-renames'));
    expect(files.map(file => file.path).sort()).toEqual(paths.map(path => path.replaceAll('/', '_')).sort());
    for (const file of files) expect(file).toMatchObject({ kind: 'modify', added: 1, removed: 1 });
    git('commit', '-qam', 'after');
  });

  test('with new, deleted, empty and binary files, modes and missing line breaks as facts', () => {
    writeFileSync(join(folder, 'gone.py'), 'a\n');
    writeFileSync(join(folder, 'bin dat'), Buffer.from([0, 1, 2]));
    writeFileSync(join(folder, 'run.sh'), 'echo\n');
    writeFileSync(join(folder, 'end.py'), 'a\nb');
    git('add', '-A');
    git('commit', '-qm', 'before');
    rmSync(join(folder, 'gone.py'));
    writeFileSync(join(folder, 'new.py'), 'x');
    writeFileSync(join(folder, 'empty.py'), '');
    writeFileSync(join(folder, 'bin dat'), Buffer.from([0, 3]));
    chmodSync(join(folder, 'run.sh'), 0o755);
    writeFileSync(join(folder, 'end.py'), 'a\nb\n');
    git('add', '-A');
    if (process.platform === 'win32') git('update-index', '--chmod=+x', 'run.sh');
    const files = new Map(parsed(git('diff', '--cached', '--no-renames')).map(file => [file.path, file]));
    expect(files.get('gone.py')).toMatchObject({ kind: 'delete', added: 0, removed: 1 });
    expect(files.get('new.py')).toMatchObject({ kind: 'add', facts: ['No line break at the end.'] });
    expect(files.get('empty.py')).toMatchObject({ kind: 'add', facts: ['Empty file.'], hunks: [] });
    expect(files.get('bin dat')).toMatchObject({ isBinary: true, added: 0 });
    expect(files.get('run.sh')?.facts).toEqual(['Mode changed from 100644 to 100755.']);
    expect(files.get('end.py')?.facts).toEqual(['The line break at the end is new.']);
    expect(files.size).toBe(6);
  });

  test('with bytes in the path that are not UTF-8, which keep their escapes', () => {
    const diff = simple(['a'], ['b'])
      .replaceAll(/[ab]\/train\.py/g, '"$&"')
      .replaceAll('train', 'tr\\377in');
    expect(only(diff).path).toContain('tr\\377in');
  });

  test('with renames and their old path', () => {
    const diff =
      'diff --git a/old name b/new name\nsimilarity index 100%\nrename from old name\nrename to new name\n';
    expect(only(diff)).toMatchObject({ kind: 'rename', path: 'new name', oldPath: 'old name' });
  });

  test('by the counts of its hunks, so lines that look like headers stay lines', () => {
    const diff = simple(['-- a/x', 'diff --git a/x b/x', '@@ -1 +1 @@'], ['++ b/x']);
    expect(only(diff)).toMatchObject({ removed: 3, added: 1 });
  });

  test('where a cut left it anywhere', () => {
    const whole = simple(['a', 'b'], ['c', 'd']) + simple(['a'], ['b'], 'with blank.py');
    for (let length = 'diff --git '.length; length < whole.length; length += 1) {
      const files = parseDiff(whole.slice(0, length));
      // Cut in the word "diff --git" of the second file it is no longer a diff to its end.
      if (files === null) expect(whole.slice(0, length)).toMatch(/\nd[^\n]*$/);
      else expect(files.length).toBeGreaterThan(0);
    }
  });

  test('only where it is one', () => {
    expect(parseDiff('fatal: bad object')).toBeNull();
    expect(parseDiff('diff --cc x\nindex 1,2..3\n')).toBeNull();
    expect(parseDiff('diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n*b\n c\n')).toBeNull();
    expect(parseDiff('')).toEqual([]);
  });

  test('without ever throwing', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'diff --git a/x b/x',
        'diff --git "a/\\303\\251" "b/\\303\\251"',
        'diff --git "',
        '--- a/x',
        '+++ "b/x',
        '@@ -1,2 +1,3 @@',
        '@@ -1 +999999999,1 @@',
        '@@ -99999999999 +1 @@',
        'Binary files a/x and b/x differ',
        '\\ No newline at end of file',
        'old mode 100644',
        'rename to "x',
      ),
      fc.string(),
      fc.string().map(text => `+${text}`),
      fc.string().map(text => ` ${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), lines => {
        for (const file of parseDiff(lines.join('\n')) ?? [])
          for (const hunk of file.hunks) highlightHunk(hunk, 'python');
      }),
    );
  });

  test('with line ends, hidden directions and endless lines said in words', () => {
    expect(only(simple(['a\r'], ['a'])).facts).toEqual([
      'Line ends change: some lines end in CRLF, some in LF.',
    ]);
    expect(only(simple(['a'], ['if admin\u202e']))).toMatchObject({ isReordered: true });
    expect(only(simple(['a'], ['b']))).toMatchObject({ isReordered: false, facts: [] });
    const long = only(simple(['a'], ['x'.repeat(1_000_000)]));
    expect(long.facts[0]).toContain('longer than 5,000');
    expect(long.hunks[0]?.changes[1]?.content.length).toBeLessThan(MAX_LINE_CHARACTERS + 10);
  });
});

test('a quoted path is what git meant by it', () => {
  expect(readQuotedPath('"a/\\303\\251\\t\\"\\\\" rest')).toEqual({ path: 'a/é\t"\\', rest: ' rest' });
  expect(readQuotedPath('"a/\\377"')).toEqual({ path: 'a/\\377', rest: '' });
  expect(readQuotedPath('"open')).toBeNull();
  expect(readQuotedPath('"\\z"')).toBeNull();
  expect(showPath('a\tb\u202ec\u001b')).toBe('a\\tb\\u{202e}c\\u{1b}');
});

describe('words that changed', () => {
  const marked = (before: string, after: string) => {
    const ranges = compareWords(before, after);
    return {
      old: ranges.old.map(([start, end]) => before.slice(start, end)),
      new: ranges.new.map(([start, end]) => after.slice(start, end)),
    };
  };

  test('are marked whole', () => {
    expect(marked('lr = 0.04', 'lr = 0.06')).toEqual({ old: ['04'], new: ['06'] });
    expect(marked('depth = 8', 'depth = 8  # layers')).toEqual({ old: [], new: ['# layers'] });
    expect(marked('depth = 8    # layers', 'depth = 12   # layers')).toEqual({ old: ['8'], new: ['12'] });
    expect(marked('  return x', '    return x')).toEqual({ old: ['  '], new: ['    '] });
    expect(marked('a = f(x, y)', 'a = g(x, z)')).toEqual({ old: ['f', 'y'], new: ['g', 'z'] });
  });

  test('are not marked in lines that have little in common', () => {
    expect(marked('return x', 'import torch.nn.functional')).toEqual({ old: [], new: [] });
    expect(marked('same', 'same')).toEqual({ old: [], new: [] });
  });

  test('leave the rest of the line the same on both sides', () => {
    const word = fc.constantFrom('a', 'lr', ' ', '  ', '=', '0', '.', 'ü', '𝛼');
    const line = fc.array(word, { maxLength: 40 }).map(words => words.join(''));
    const rest = (text: string, ranges: readonly (readonly [number, number])[]) =>
      ranges
        .toReversed()
        .reduce((left, [start, end]) => left.slice(0, start) + left.slice(end), text)
        .replaceAll(/\s/g, '');
    fc.assert(
      fc.property(line, line, (before, after) => {
        const ranges = compareWords(before, after);
        if (ranges.old.length + ranges.new.length > 0)
          expect(rest(before, ranges.old)).toBe(rest(after, ranges.new));
      }),
    );
  });

  test('pair the lines of a block in order', () => {
    const hunk = only(simple(['lr = 1', 'wd = 2'], ['lr = 3', 'wd = 4'])).hunks[0];
    if (hunk === undefined) throw new Error('A hunk was expected.');
    const marks = markWords(hunk);
    expect(marks.new.map(({ lineNumber, start, length }) => [lineNumber, start, length])).toEqual([
      [1, 5, 1],
      [2, 5, 1],
    ]);
    expect(pairChanges(hunk.changes).map(change => change.content)).toEqual([
      'lr = 1',
      'lr = 3',
      'wd = 2',
      'wd = 4',
    ]);
  });
});

describe('colours', () => {
  const textOf = (nodes: HunkTokens['old'][number] | undefined): string =>
    (nodes ?? []).map(node => (node.type === 'text' ? String(node.value) : textOf(node.children))).join('');

  test('keep every character of every line, in each language', () => {
    const lines = ['def f(x):  # "a"', '  return `x` <b>&amp;</b>', '', '```py', "'open", '/* { [ */ #!'];
    for (const name of [
      'a.py',
      'a.rs',
      'a.cu',
      'a.ts',
      'a.tsx',
      'a.sh',
      'a.json',
      'a.toml',
      'a.yml',
      'a.md',
    ]) {
      const hunk = only(simple(lines, lines.toReversed())).hunks[0];
      if (hunk === undefined) throw new Error('A hunk was expected.');
      const tokens = highlightHunk(hunk, languageOf(name));
      expect(tokens.old.map(textOf), name).toEqual(lines);
      expect(JSON.stringify(tokens.old), name).toContain('"code-');
      expect(tokens.new.map(textOf), name).toEqual(lines.toReversed());
    }
  });

  test('cost no more where a diff gives its lines enormous numbers', () => {
    const diff = simple(['a'], ['b']).replace('@@ -1,1 +1,1 @@', '@@ -999999990,1 +999999999,1 @@');
    const hunk = only(diff).hunks[0];
    if (hunk === undefined) throw new Error('A hunk was expected.');
    const tokens = highlightHunk(hunk, 'python');
    expect(textOf(tokens.new[999_999_998])).toBe('b');
  });

  test('follow the end of the name', () => {
    expect(languageOf('src/train.PY')).toBe('python');
    expect(languageOf('a.b/Makefile')).toBeNull();
    expect(languageOf('x.toString')).toBeNull();
    expect(languageOf('x.constructor')).toBeNull();
  });

  test('are left out of files too large for them', () => {
    const lines = Array.from({ length: 4_001 }, (_, index) => `x${index}`);
    expect(canColour(only(simple(lines.slice(1), [])))).toBe(true);
    expect(canColour(only(simple(lines, [])))).toBe(false);
  });

  test('read at 4.5:1 on every ground, light and dark', () => {
    const renderer = join(import.meta.dirname, '../src/renderer');
    const css = ['styles.css', 'viewers/viewers.css'].map(name => readFileSync(join(renderer, name), 'utf8'));
    for (const theme of [':root', ':root[data-theme="dark"]']) {
      const values = new Map<string, string>();
      for (const sheet of css) {
        const block = sheet.split(`${theme} {`)[1]?.split('}')[0] ?? '';
        for (const [, name, value] of block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g))
          if (name !== undefined && value !== undefined) values.set(name, value);
      }
      const value = (name: string) => {
        const found = values.get(name);
        if (found === undefined) throw new Error(`There is no --${name} in ${theme}.`);
        return found;
      };
      const texts = [...values.keys()].filter(name => name.startsWith('code-')).concat('ink');
      for (const text of texts)
        for (const ground of ['surface', 'paper', 'add', 'del', 'add-strong', 'del-strong'])
          expect(contrast(value(text), value(ground)), `${theme} ${text} on ${ground}`).toBeGreaterThan(4.5);
      // Line numbers and signs.
      for (const ground of ['surface', 'add', 'del', 'sunken'])
        expect(contrast(value('muted'), value(ground)), `${theme} muted on ${ground}`).toBeGreaterThan(4.5);
      const ansi = [...values.keys()].filter(name => name.startsWith('ansi-') && name !== 'ansi-black');
      expect(ansi.length).toBe(15);
      for (const text of ansi)
        expect(contrast(value(text), value('sunken')), `${theme} ${text}`).toBeGreaterThan(4.5);
      expect(contrast(value('hit-ink'), value('hit'))).toBeGreaterThan(4.5);
      expect(contrast(value('hit-active-ink'), value('hit-active'))).toBeGreaterThan(4.5);
    }
  });
});

/** WCAG 2's contrast ratio of two colours. */
function contrast(one: string, two: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
