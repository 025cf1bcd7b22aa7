import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenTo, readOverrides } from '../src/engine/proposers/search/overrides.ts';
import { searchProposer } from '../src/engine/proposers/search/search-proposer.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** The constants that the search may change in each file, if this command trains. */
async function constantsOf(
  train: string,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, readonly string[]>> {
  const overrides = await readOverrides(train, async path => files[path] ?? null);
  const contract = { train, environment: [] };
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [
      file,
      findConstants(file, text, givenTo(file, contract, overrides)).map(({ name }) => name),
    ]),
  );
}

const PROGRAM = 'rate = 1e-3\nwidth = 64\ndepth = 4\ndrop = 0.1\n';
const FIRST = 'rate = 2e-3\nwidth = 8 * 4\n';
const SECOND = 'rate = 4e-3\n# depth = 8\n';

describe('a file of settings in the command', () => {
  test('gives the program what it assigns, and is itself overridden by later files and by options', async () => {
    const files = { 'train.py': PROGRAM, 'config/a.py': FIRST, 'config/b.py': SECOND };
    const train = 'python -u train.py config/a.py ./config/b.py --drop=0.2';
    expect(await constantsOf(train, files)).toEqual({
      'train.py': ['depth'],
      'config/a.py': [],
      'config/b.py': ['rate'],
    });
    expect(await constantsOf('python train.py', files)).toMatchObject({
      'train.py': ['rate', 'width', 'depth', 'drop'],
      'config/a.py': ['rate'],
    });
    expect(
      await constantsOf('cd lab && python train.py b.py', { 'lab/train.py': PROGRAM, 'lab/b.py': SECOND }),
    ).toEqual({ 'lab/train.py': ['width', 'depth', 'drop'], 'lab/b.py': ['rate'] });
  });

  test('may be YAML, TOML or JSON: its values give fields and options', async () => {
    const fields =
      'from dataclasses import dataclass\n@dataclass\nclass Model:\n    width: int = 64\n    depth: int = 4\n';
    const options = 'p.add_argument("--rate", default=0.1)\np.add_argument("--drop", default=0.1)\n';
    const yaml = 'model:\n  width: 32\nrate: 0.2\n';
    for (const train of ['python train.py --config small.yaml', 'python train.py --config=small.yaml']) {
      expect(await constantsOf(train, { 'train.py': fields + options, 'small.yaml': yaml })).toEqual({
        'train.py': ['Model.depth', '--drop'],
        'small.yaml': ['model.width', 'rate'],
      });
    }
  });

  test('of another command of the line is a program, and a file that is not there gives nothing', async () => {
    const files = { 'prepare.py': FIRST, 'train.py': PROGRAM };
    expect(await constantsOf('python prepare.py && python train.py gone.py', files)).toMatchObject({
      'train.py': ['rate', 'width', 'depth', 'drop'],
    });
  });
});

test('a program gives its variables to the fields of the modules that it imports, but not to another program', async () => {
  const model =
    'from dataclasses import dataclass\n@dataclass\nclass Model:\n    width: int = 64\n    heads: int = 4\n';
  const files = { 'prepare.py': FIRST, 'train.py': PROGRAM, 'model.py': model };
  expect(await constantsOf('python prepare.py && python train.py', files)).toEqual({
    'prepare.py': ['rate'],
    'train.py': ['rate', 'width', 'depth', 'drop'],
    'model.py': ['Model.heads'],
  });
  expect(await constantsOf('python -m train', files)).toMatchObject({
    'model.py': ['Model.width', 'Model.heads'],
  });
});

describe('a script that the command runs', () => {
  test('gives options, exported variables, and the settings that it names', async () => {
    const script = `#!/bin/sh
# python train.py --width 1
export DEPTH=3
python train.py config/b.py \\
  --drop "$DROP"
`;
    const files = { 'run.sh': script, 'train.py': PROGRAM, 'config/b.py': SECOND };
    expect(await constantsOf('bash run.sh', files)).toMatchObject({
      'train.py': ['width', 'depth'],
      'config/b.py': ['rate'],
    });
    const upper = { 'run.sh': script, 'train.py': 'depth = int(os.environ.get("DEPTH", 3))\nwidth = 2\n' };
    expect(await constantsOf('./run.sh', upper)).toMatchObject({ 'train.py': ['width'] });
  });

  test('or a makefile gives definitions', async () => {
    const files = {
      'bench.c': '#define TILE 8\n#define UNROLL 4\n',
      Makefile: 'CFLAGS += -O2 -DUNROLL=2 # -DTILE=1\n',
    };
    expect(await constantsOf('make -s && ./bench', files)).toMatchObject({ 'bench.c': ['TILE'] });
    const below = { 'c/bench.c': files['bench.c'], 'c/fast.mk': files.Makefile };
    expect(await constantsOf('make -C c -f fast.mk run', below)).toMatchObject({ 'c/bench.c': ['TILE'] });
  });
});

describe('a build file that CMake or Meson reads', () => {
  const C =
    '#ifndef TILE\n#define TILE 8\n#endif\n#define UNROLL 4\n#define ROWS 2\n#define PAD 3\n#define USE_FMA 0\n';
  const CMAKE = `add_subdirectory(kernels)
target_compile_definitions(bench PRIVATE TILE=\${SIDE}
  "UNROLL=2" USE_FMA) # ROWS=1
`;

  test('gives definitions, also those of its subfolders', async () => {
    const files = {
      'src/bench.c': C,
      'CMakeLists.txt': CMAKE,
      'kernels/CMakeLists.txt': 'add_definitions(-DPAD=1)\n',
    };
    for (const train of [
      'cmake -B build && cmake --build build && build/bench',
      'cmake -S . -B build -DCMAKE_BUILD_TYPE=Release && make -C build',
      'mkdir -p build && cd build && cmake .. && make && ./bench',
      'cmake -G Ninja -D X=1 . && ninja && ./bench',
    ]) {
      expect(await constantsOf(train, files)).toMatchObject({ 'src/bench.c': ['ROWS'] });
    }
    const below = { 'c/src/bench.c': C, 'c/CMakeLists.txt': CMAKE };
    expect(await constantsOf('cmake -S c -B b && make -C b', below)).toMatchObject({
      'c/src/bench.c': ['ROWS', 'PAD'],
    });
    expect(await constantsOf('make && ./bench', files)).toMatchObject({
      'src/bench.c': ['TILE', 'UNROLL', 'ROWS', 'PAD', 'USE_FMA'],
    });
  });

  test('has constants of its own, which only the command overrides', async () => {
    const cmake = `set(CMAKE_CXX_STANDARD 17)
set(SIDE 16 CACHE STRING "of a block")
set(REPEATS 5)
# set(OLD 4)
${CMAKE}`;
    const files = {
      'CMakeLists.txt': cmake,
      'meson.build': "add_project_arguments('-DPAD=4', language: 'c')\n",
    };
    expect(await constantsOf('cmake -B build && make -C build', files)).toEqual({
      'CMakeLists.txt': ['SIDE', 'UNROLL'],
      'meson.build': ['PAD'],
    });
    expect(await constantsOf('cmake -B build -DSIDE=8 && make', files)).toMatchObject({
      'CMakeLists.txt': ['UNROLL'],
    });
    const meson = { 'bench.c': C, 'meson.build': files['meson.build'] };
    expect(await constantsOf('meson setup build && ninja -C build', meson)).toMatchObject({
      'bench.c': ['TILE', 'UNROLL', 'ROWS', 'USE_FMA'],
    });
  });

  test('as a makefile has its variables and definitions', async () => {
    const make =
      'TILE ?= 8\nWIDTH := 64\nDEPTH = 4 # layers\nNAME = x\nCFLAGS = -O3 -DUNROLL=2 -DTILE=$(TILE)\nrun: TILE=9\n\t./bench -DPAD=1\n';
    expect(await constantsOf('make', { Makefile: make })).toEqual({
      Makefile: ['TILE', 'WIDTH', 'DEPTH', 'UNROLL', 'PAD'],
    });
    expect(await constantsOf('make TILE=4', { Makefile: make })).toEqual({
      Makefile: ['WIDTH', 'DEPTH', 'UNROLL', 'PAD'],
    });
  });
});

describe("of Hydra's configs", () => {
  const FILES = {
    'src/train.py':
      '@hydra.main(version_base="1.3", config_path="../configs", config_name="train.yaml")\ndef main(cfg): ...\n',
    'configs/train.yaml':
      'defaults:\n  - _self_\n  - model: small\n  - trainer: default\n  - logger: null\n  - optional local: mine\n  - callbacks: [stop, save]\nwidth: 4\n',
    'configs/model/small.yaml': 'defaults: [/net/plain]\nlr: 0.1\n',
    'configs/model/large.yaml': 'lr: 0.2\n',
    'configs/net/plain.yaml': 'units: 64\n',
    'configs/trainer/default.yaml': 'clip: 1.0\n',
    'configs/trainer/gpu.yaml': 'defaults:\n  - default\nscale: 2.0\n',
    'configs/callbacks/stop.yaml': 'patience: 3\n',
    'configs/callbacks/save.yaml': 'top_k: 1\n',
    'configs/callbacks/bar.yaml': 'rate: 5\n',
    'configs/logger/csv.yaml': 'rows: 5\n',
    'configs/experiment/big.yaml': 'defaults:\n  - override /model: large\nlr: 0.3\n',
    'other.yaml': 'alpha: 1.0\n',
  };
  const used = async (train: string) =>
    Object.entries(await constantsOf(train, FILES)).flatMap(([file, names]) =>
      names.length > 0 ? [file] : [],
    );

  test('only those that are composed have constants', async () => {
    const always = [
      'configs/train.yaml',
      'configs/model/small.yaml',
      'configs/net/plain.yaml',
      'configs/trainer/default.yaml',
    ];
    const callbacks = ['configs/callbacks/stop.yaml', 'configs/callbacks/save.yaml'];
    expect(await used('python src/train.py')).toEqual([...always, ...callbacks, 'other.yaml']);
    expect(await used('python -m src.train trainer=gpu callbacks=bar +experiment=big')).toEqual([
      ...[
        'configs/train.yaml',
        'configs/model/small.yaml',
        'configs/model/large.yaml',
        'configs/net/plain.yaml',
      ],
      ...['configs/trainer/default.yaml', 'configs/trainer/gpu.yaml', 'configs/callbacks/bar.yaml'],
      ...['configs/experiment/big.yaml', 'other.yaml'],
    ]);
  });

  test('all have constants if it is unknown which are composed', async () => {
    const all = Object.keys(FILES).filter(file => file.endsWith('.yaml'));
    expect(await used('python train.py')).toEqual(all);
    expect(await used('python src/train.py --config-name=missing')).toEqual(all);
  });
});

test('the search changes nothing that a file of settings overrides', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'config'));
  await writeFile(join(folder, 'train.py'), 'rate = 1e-3\nwidth = 64\n');
  await writeFile(join(folder, 'config/a.py'), FIRST);
  const proposer = searchProposer({ kind: 'search', seed: 1, strategy: 'ladder' });
  const request = {
    ...{ n: 1, history: [], refusals: [], running: [], steering: [], start: null },
    contract: { train: 'python train.py config/a.py', environment: [], metric: { goal: 'minimize' } },
  };
  const signal = new AbortController().signal;
  const given = { worktree: { path: folder, adminDir: folder }, editableFiles: ['train.py'], signal };
  const answer = await proposer.propose(request as never, given as never);
  expect(answer.kind).toBe('exhausted');
});
