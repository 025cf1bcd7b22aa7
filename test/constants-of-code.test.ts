import { expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenBy } from '../src/engine/proposers/search/given.ts';
import { cpuMs } from './support/clock.ts';
import { namesOfConstants as names, turnAll } from './support/constants.ts';

test('what a language itself calls a constant is one, whatever its name looks like', () => {
  const go = `package main

const learningRate = 0.1
const hidden int = 32 // units

const (
	momentum          = 0.9
	blockSize  uint32 = 64
	seed              = 42
	wide              = 2 * hidden
	first             = iota
)

var count = 3
func main() {
	const inner = 4
	depth := 3
}
`;
  expect(names('main.go', go)).toEqual(['learningRate', 'hidden', 'momentum', 'blockSize']);
  expect(turnAll('main.go', go).text).toContain('\tblockSize  uint32 = 128\n');
  const js = `import RBush from '../index.js';
const sizes = 1000000,
    maxFill = 16, // entries
    scale = sizes / 2,
    minFill = 4;
    notOne = 5;
export const cacheSize: number = 64;
let current = 1;
const f = (a, b) => a;
const list = [
    first = 3,
];
`;
  expect(names('perf.ts', js)).toEqual(['sizes', 'maxFill', 'minFill', 'cacheSize']);
  expect(turnAll('perf.ts', js).text).toContain('    maxFill = 32, // entries\n');
  const cpp = `constexpr std::size_t chunk_bytes = 4096;
static const double alpha = 0.5;
double beta = 0.5;
void run() {
  constexpr int TILE = 8;
  const int kLanes = 4;
  const int n = 3;
  int WIDTH = 2;
}
`;
  expect(names('bench.cpp', cpp)).toEqual(['chunk_bytes', 'alpha', 'TILE', 'kLanes']);
  const java = `public class Bench {
    private static final int BLOCK_SIZE = 64;
    static final double RATE = 0.1;
    int WIDTH = 4;
}
`;
  expect(names('Bench.java', java)).toEqual(['BLOCK_SIZE', 'RATE']);
  expect(
    names('train.rs', 'fn f() {\n    const BSIZE: usize = 64;\n}\npub(crate) const RATE: f32 = 0.1;\n'),
  ).toEqual([...['BSIZE', 'RATE']]);
  expect(names('run.sh', 'rate=0.1\nreadonly depth=3\n')).toEqual([]);
});

test("defaults of options are constants: Go's flags, gflags and clap", () => {
  const go = `var rate = flag.Float64("rate", 0.1, "learning rate")
func init() { flag.IntVar(&cfg.depth, "depth", 4, "layers") }
var data = flag.String("data", "x", "file")
`;
  expect(names('main.go', go)).toEqual(['--rate', '--depth']);
  expect(names('main.go', go, givenBy({ environment: [], train: 'go run . -rate=1' }))).toEqual(['--depth']);
  expect(turnAll('main.go', go).text).toContain('"depth", 6, "layers"');
  const cpp =
    'DEFINE_double(rate, 0.1, "learning rate");\nDEFINE_int32(width, 64, "units");\nDEFINE_string(x, "1", "");\n';
  expect(names('train.cc', cpp)).toEqual(['--rate', '--width']);
  const rust = `#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 0.05)]
    learning_rate: f64,

    #[arg(long, default_value = "32", help = "rows")]
    /// At once.
    pub batch_size: usize,

    #[arg(long, default_value_t = 20)]
    epochs: usize,
    #[arg(long, default_value = "data.csv")]
    data: String,
}
`;
  expect(names('main.rs', rust)).toEqual(['--learning-rate', '--batch-size']);
  expect(turnAll('main.rs', rust).text).toContain('default_value = "64", help');
  const train = 'cargo run --release -- --learning-rate 1';
  expect(names('main.rs', rust, givenBy({ environment: [], train }))).toEqual(['--batch-size']);
});

test('no line makes the reading slow', () => {
  for (const evil of [
    'const ',
    'const (\n',
    'const a = 1,\n',
    ' ',
    '#[arg(default_value',
    'flag.Int("a"',
    'DEFINE_bool(',
    'int ',
    'set(A ',
    'x_compile_definitions(A=1 ',
    '-DA=1 ',
  ]) {
    const start = cpuMs();
    for (const file of ['a.go', 'a.rs', 'a.cc', 'a.ts', 'Makefile', 'CMakeLists.txt'])
      findConstants(file, evil.repeat(Math.ceil(400_000 / evil.length)));
    // Bounds the algorithm and times nothing, as for Python.
    expect(cpuMs() - start).toBeLessThan(15_000);
  }
});
