import type { Candidate } from './constant.ts';
import { parseLiteral } from './literal.ts';

/** Whether a file says how something is compiled: a makefile, or one of CMake or Meson. */
export function isBuildFile(file: string): boolean {
  return /(?:(?:^|\/)(?:CMakeLists\.txt|meson\.build|(?:GNUm|M|m)akefile)|\.(?:mk|cmake))$/.test(file);
}

/**
 * The constants of a build file: `TILE = 8` in a makefile, also with `:=` and `?=`; `set(TILE 8)` in CMake, but not its
 * own settings (`CMAKE_…`); and the definitions it gives the compiler: `-DTILE=8`, `target_compile_definitions(x TILE=8)`.
 */
export function findBuildConstants(source: string): readonly Candidate[] {
  const code = source.replace(
    /(^|\s)#.*/gm,
    (comment, space: string) => space + ' '.repeat(comment.length - space.length),
  );
  return FORMS.flatMap(form =>
    [...code.matchAll(form)].flatMap(({ index, 0: text, groups }) => {
      const { name = '', value = '' } = groups ?? {};
      const literal = /^CMAKE_/.test(name) ? null : parseLiteral(value, '');
      const end = index + text.length;
      return literal ? [{ name, literal, start: end - value.length, end }] : [];
    }),
  ).sort((a, b) => a.start - b.start);
}

const VALUE = '(?<value>[+-]?[\\d.][\\w.+-]*)';
const FORMS = [
  // A makefile's line.
  new RegExp(
    `^(?:export[ \\t]+)?(?<name>[A-Za-z_]\\w*)[ \\t]*[:?]{0,2}=[ \\t]*${VALUE}(?=[ \\t]*\\r?$)`,
    'gm',
  ),
  new RegExp(`^[ \\t]*set[ \\t]*\\([ \\t]*(?<name>\\w+)[ \\t]+"?${VALUE}(?=["\\s)])`, 'gim'),
  new RegExp(`(?<![\\w-])-D[ \\t]?(?<name>\\w+)=${VALUE}(?=["'\\s,)]|$)`, 'gm'),
  // After `target_compile_definitions(`, until its end. Looking back from every character would take far longer.
  new RegExp(
    `\\b(?=\\w+=)(?<=compile_definitions[ \\t]*\\([^()]{0,400}[\\s"])(?<name>\\w+)=${VALUE}(?=["\\s)])`,
    'g',
  ),
];
