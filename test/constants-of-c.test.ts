import { expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenBy } from '../src/engine/proposers/search/given.ts';
import { turn } from '../src/engine/proposers/search/moves.ts';
import { cpuMs } from './support/clock.ts';
import { namesOfConstants as names, turnAll } from './support/constants.ts';

test('in C, definitions of the preprocessor are constants, without parentheses and the letters for a type', () => {
  const source = `#include <stdio.h>
#ifndef TILE
#define TILE 32 /* columns of a block */
#endif
  #  define UNROLL (4)
#define RATE 0.5f
#define ROWS 256UL
static const unsigned DEPTH = 8u;
static const float MOMENTUM = .9F;
constexpr uint32_t CHUNK = 64;
constexpr int kWarpCount = 3;
#define WIDTH(x) (2 * x)
#define AREA (TILE * UNROLL)
#define MASK 0x1f
#define USE_FAST
#ifdef WIDE
#define LANE 8
#else
#define LANE 4
#endif
#define ON_ALL -1
int main(void) { printf("%d %d %g %lu %u %g", TILE, UNROLL, RATE, ROWS, DEPTH, MOMENTUM); }
`;
  expect(names('kernel.cu', source)).toEqual([
    'TILE',
    'UNROLL',
    'RATE',
    'ROWS',
    'DEPTH',
    'MOMENTUM',
    'CHUNK',
    'kWarpCount',
  ]);
  const turned = turnAll('kernel.cu', source).text.split('\n');
  expect(turned.filter((line, at) => line !== source.split('\n')[at])).toEqual([
    '#define TILE 64 /* columns of a block */',
    '  #  define UNROLL (8)',
    '#define RATE 0.75f',
    '#define ROWS 512UL',
    'static const unsigned DEPTH = 10u;',
    'static const float MOMENTUM = 0.95F;',
    'constexpr uint32_t CHUNK = 128;',
    'constexpr int kWarpCount = 4;',
  ]);
  expect(names('run.sh', '#define TILE 32\n')).toEqual([]);
});

test('what the compiler never sees is no constant: later lines of comments, dead branches, continuations', () => {
  const source = `#ifndef KERNEL_H
#define KERNEL_H 1
/* Before:
#define OLD_TILE 64
*/
#if 0
#define DEAD 16
# if 1
#define DEEPER 16
# else
#define DEEPEST 16
# endif
#elif 1
#define ALIVE 8
#else
#define AFTER 8
#endif
#if 1 /* always */
#define TAKEN 3
#elif USE_OTHER
#define OTHER 3
#endif
#if USE_TILES
#define TILE 32 /* of
#define INSIDE 4 */
#endif
const char *text = "/*";
#define UNROLL 4 // "/*
#define SUM 3 \\
  + 4
#define LOOP(x) do \\
#define CONTINUED 5
static const int LAST = 7;
#endif
`;
  for (const file of ['kernel.cu', 'kernel.c', 'kernel.hpp']) {
    expect(names(file, source)).toEqual(['ALIVE', 'TAKEN', 'TILE', 'UNROLL', 'LAST']);
    expect(names(file, source.replaceAll('\n', '\r\n'))).toEqual([
      'ALIVE',
      'TAKEN',
      'TILE',
      'UNROLL',
      'LAST',
    ]);
  }
  expect(names('train.rs', '/*\nconst OLD: f32 = 0.1;\n*/\nconst RATE: f32 = 0.1;\n')).toEqual(['RATE']);
  expect(names('train.jl', '#=\nconst OLD = 0.1\n=#\nconst RATE = 0.1 # "#=\n')).toEqual(['RATE']);
});

test('a global variable of C and its like that the file changes is no constant', () => {
  const source = `int GROUP = 0; // GROUP = 64 is usual
static int COUNT = 1;
static float RATE = 0.5f; /* RATE = 1 diverges */
int WIDTH = 8;
const char *help = "WIDTH = 8";
void read(int group) { GROUP = group; COUNT++; if (RATE == 1 && o.RATE = 2) use(WIDTH >= 4, p->WIDTH = 3); }
`;
  expect(names('run.c', source)).toEqual(['RATE', 'WIDTH']);
  expect(
    names(
      'run.rs',
      'static mut STEP: i32 = 3;\nconst RATE: f32 = 0.1;\nfn f() { STEP += 1; match x { RATE => 1 } }\n',
    ),
  ).toEqual(['RATE']);
  expect(names('run.sh', 'RATE=0.1\npython train.py --RATE=0.2\n')).toEqual(['RATE']);
});

test('no C makes the reading slow', () => {
  for (const evil of [
    '"',
    "'",
    '\\"',
    '/*',
    '/* */',
    '\\\n',
    '#if 1\n',
    '#if 0\n#else\n',
    'a',
    'a ',
    'a=',
    'a:',
    'a:a.',
    'A = 1;\n',
  ]) {
    const start = cpuMs();
    for (const file of ['a.c', 'a.jl']) findConstants(file, evil.repeat(Math.ceil(400_000 / evil.length)));
    // Bounds the algorithm and times nothing, as for Python.
    expect(cpuMs() - start).toBeLessThan(15_000);
  }
});

test('a size of two, four or eight doubles and halves; a number of things changes by one', () => {
  const source =
    '#define TILE 8\n#define UNROLL_SIZE 2\nconst int LAYERS = 8;\n#define VEC 6\n#define BATCH 1\n';
  const all = findConstants('a.c', source);
  const steps = (direction: 'up' | 'down') => all.map(({ literal }) => turn(literal, direction, 0, 0));
  expect(steps('up')).toEqual(['16', '4', '10', '8', '2']);
  expect(steps('down')).toEqual(['4', '1', '6', '4', null]);
});

test('a definition that the command gives is none', () => {
  const source = '#ifndef TILE\n#define TILE 32\n#endif\n#define UNROLL 4\n#define PAD 1\n#define ROWS 8\n';
  const train = 'make -s CFLAGS="-O3 -DTILE=64 -D UNROLL=8" DEFS=-DROWS && ./bench';
  expect(names('bench.c', source, givenBy({ environment: [], train }))).toEqual(['PAD']);
});
