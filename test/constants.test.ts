import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenBy } from '../src/engine/proposers/search/given.ts';
import { cpuMs } from './support/clock.ts';
import { namesOfConstants as names, turnAll } from './support/constants.ts';
import { temporaryFolder } from './support/scaffold.ts';

const run = promisify(execFile);
const fixture = (name: string) => readFile(join(import.meta.dirname, 'fixtures/constants', name), 'utf8');

describe('of Python', () => {
  test('defaults of environment variables and fields of dataclasses are constants', async () => {
    expect(names('train.py', await fixture('constants-not-found.py'))).toEqual([...['H.matrix_lr', 'C.lr']]);
  });

  test('reporting constants, evaluation sizes, autotune switches and workers are none', async () => {
    expect(names('train.py', await fixture('constants-not-to-turn.py'))).toEqual([]);
  });

  test('a section that a comment closes has none, until the next section', async () => {
    expect(names('train.py', await fixture('session-setup-constants.py'))).toEqual(['MAX_POSITIONS']);
  });

  test('in a script without capitals, numbers of the top level that nothing assigns again are constants', () => {
    const script = `import time
rate = 6e-4 # peak
blocks, heads = 12, 12
width: int = 384
is_deep = True
eval_every = 200
parts = 5 * 8
best = 1e9
step = 0
seen = 0
ratio = -1.0
if True:
    offset = 3
def train():
    inner = 4
    global seen
for step in range(9):
    best = min(best, 2)
    ratio += 0.5
with open("x") as width_of:
    pass
`;
    expect(names('train.py', script)).toEqual(['rate', 'width', 'is_deep']);
    expect(names('train.py', `${script}DEPTH = 8\n`)).toEqual(['DEPTH']);
    expect(names('train.py', `${script}VAL_STEPS = 8\n`)).toEqual([]);
    expect(names('train.py', `${script}while (width := 3) and step:\n    del rate\n`)).toEqual(['is_deep']);
  });

  test('sizes in single letters, classes and the variables of launchers leave a script its numbers in lower case', () => {
    const script = `import os
from dataclasses import dataclass
@dataclass
class Config:
    depth: int = 12
is_parallel = int(os.environ.get('RANK', -1)) != -1
world_size = int(os.environ.get("WORLD_SIZE", 1))
node = int(os.environ.get("SLURM_NODEID", 0))
rate = float(os.environ.get("RATE", 0.1))
B, T = 4, 8
D = 16
peak = 6e-4
`;
    expect(names('train.py', script)).toEqual(['Config.depth', 'rate', 'D', 'peak']);
    expect(names('train.py', `${script}WIDTH = 8\n`)).toEqual(['Config.depth', 'rate', 'D', 'WIDTH']);
  });

  test('values of an object of settings are constants, at the top level and in functions for settings', () => {
    const source = `_C = CN()
_C.SOLVER.RATE = 0.1  # peak
_C.SOLVER.STEPS = (30, 60)
_C.SEED = 3
if cuda:
    _C.SOLVER.WIDTH = 2
def get_default_config():
    C = CN()
    C.model.depth = 4
    C.trainer.drop = 0.5
    C.trainer.max_iters = 500
    C.twice = 1
    C.once = None
    return C
def train(config):
    config.width = 3
    C.twice = size
model.eval_rate = 3
`;
    const all = ['_C.SOLVER.RATE', '_C.SOLVER.STEPS', 'C.model.depth', 'C.trainer.drop'];
    expect(names('train.py', source)).toEqual(all);
    const given = givenBy({ environment: [], train: 'python train.py --trainer.drop=0.1 --config.depth 3' });
    expect(names('train.py', source, given)).toEqual(all.slice(0, 2));
  });

  test('attributes of a class of settings are constants, if nothing assigns them again', () => {
    const source = `class CFG:
    rate = 1e-3  # peak
    folds: list = [0, 1]
    seed = 42
    epochs = 5
    width = 768
    size = 64 * 2
    drop = 0.2
    depth = 4
    class Inner:
        heads = 4
if small:
    CFG.width = 64
def train():
    CFG.drop = 0
class Model(Module):
    scale = 2
config = CFG(depth=3)
`;
    expect(names('train.py', source)).toEqual(['CFG.rate']);
    expect(names('train.py', source.replaceAll('CFG', 'TrainConfig'))).toEqual(['TrainConfig.rate']);
    const given = givenBy({ environment: [], train: 'python train.py --rate 1' });
    expect(names('train.py', source, given)).toEqual([]);
  });

  test('a field or an option that the program gives another value is none, unless it starts from the default', () => {
    const source = `
import tyro
@dataclass
class Args:
    rate: float = 0.1
    envs: int = 4
    batch: int = 0
    scale: float = 0.5
    half: int = 8
    warmup: int = 3
    def __post_init__(self):
        self.half = self.envs // 2
        self.scale = self.scale * 2
def main():
    parser.add_argument("--drop", type=float, default=0.1)
    parser.add_argument("--width", type=int, default=64)
    args = parser.parse_args()
    args.width = read()
    model.drop = 0.2
if __name__ == "__main__":
    args = tyro.cli(Args)
    args.batch = int(args.envs * 2)
    args.rate = args.rate * 2
    if args.envs > 3:
        args.warmup = 9
`;
    expect(names('ppo.py', source)).toEqual([
      ...['Args.rate', 'Args.envs', 'Args.scale', 'Args.warmup', '--drop'],
    ]);
  });

  test("defaults of absl's flags are constants", () => {
    const source = `from absl import app, flags
FLAGS = flags.FLAGS
flags.DEFINE_float('learning_rate', 0.1, 'The rate.')
_WIDTH = flags.DEFINE_integer("width", default=64, help="units")
flags.DEFINE_bool('nesterov', False, 'momentum', short_name='n')
flags.DEFINE_enum('act', 'relu', ['relu', 'gelu'], 'activation')
flags.DEFINE_string('workdir', None, 'folder')
flags.DEFINE_integer('num_epochs', 10, 'passes')
flags.DEFINE_float('decay', 0.5, 'set below')
def main(_):
    FLAGS.decay = 0.1
`;
    expect(names('train.py', source)).toEqual(['--learning_rate', '--width', '--nesterov', '--act']);
    const given = givenBy({ environment: [], train: 'python train.py --learning_rate=1 --width 8' });
    expect(names('train.py', source, given)).toEqual(['--nesterov', '--act']);
    expect(turnAll('train.py', source).text).toContain(`flags.DEFINE_enum('act', 'gelu', [`);
  });

  test('defaults of the parameters of a command are constants: of Fire, tyro and typer', () => {
    const source = `import fire, typer
app = typer.Typer()
def main(rate: float = 0.1, *, width=64, data="x", epochs: int = 3, **more):
    other()
def other(depth=4): ...
@app.command(name="fit")
def fit(scale: float = typer.Option(0.5, help="size"), heads: int = 2): ...
class Model:
    def main(self, drop=0.1): ...
`;
    expect(names('train.py', `${source}fire.Fire(main)\n`)).toEqual([
      ...['--rate', '--width', '--scale', '--heads'],
    ]);
    expect(names('train.py', `${source}tyro.cli(main)\n`)).toContain('--rate');
    expect(names('train.py', source)).toEqual(['--scale', '--heads']);
    const given = givenBy({ environment: [], train: 'python train.py --rate=1 --scale 2' });
    expect(names('train.py', `${source}fire.Fire(main)\n`, given)).toEqual(['--width', '--heads']);
  });

  const SOURCE = `"""Docs.
LR = 3
"""
import argparse, os
from dataclasses import dataclass, field

A = float(os.environ.get("A", 0.04))
B = int(os.getenv('B', '64'))
C: float = float(os.environ.get("C", "1e-3"))
D = os.environ.get("D", 8)
GATE = bool(int(os.environ.get("GATE", "1")))
WORD = os.environ.get("WORD", "adam")

class Hyper:
    warmup = float(os.environ.get("WARMUP", default="0.1"))
    plain = 5

@dataclass(frozen=True)
class Config:
    width: int = 64
    rate: float = field(default=0.02)
    is_deep: bool = False
    data_path: str = "x"
    layers: int = 4
    heads: int = 2

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--momentum", "-m", type=float, default=0.9)
    parser.add_argument(
        "--weight-decay",
        type=float,
        default=1e-4,  # small
    )
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--decay", default="0.5", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--taken", type=int, default=4)
    parser.set_defaults(taken=5)
    args = parser.parse_args([])
    clip = float(os.environ.get("CLIP", 1.0))
    config = Config(32, heads=8)
    print([A, B, C, int(D), GATE, Hyper.warmup, config.rate, config.is_deep, config.layers, args.momentum,
           args.weight_decay, args.optimizer, args.decay, clip])

main()
`;

  test('what stands in environment, options and fields is found, but not what the file itself gives', () => {
    expect(names('train.py', SOURCE)).toEqual([
      ...['A', 'B', 'C', 'D', 'GATE', 'Hyper.warmup', 'Config.rate', 'Config.is_deep', 'Config.layers'],
      ...['--momentum', '--weight-decay', '--optimizer', '--decay', 'CLIP'],
    ]);
    for (const { start, end, literal } of findConstants('train.py', SOURCE)) {
      expect(SOURCE.slice(start, end)).toBe(literal.text);
    }
  });

  test('the program sees the values that were written', async () => {
    const { text, turned } = turnAll('train.py', SOURCE);
    const path = join(await temporaryFolder(), 'train.py');
    await writeFile(path, text);
    await run('python3', ['-m', 'py_compile', path]);
    const { stdout } = await run('python3', [path], { env: { PATH: process.env.PATH } });
    const seen = stdout
      .trim()
      .replace(/^\[|\]$/g, '')
      .split(', ');
    const values = Object.values(turned).reverse();
    expect(seen).toEqual([
      ...['0.08', '128', '0.002', '10', 'True', '0.2', '0.04', 'True', '6'],
      ...['0.95', '0.0002', "'sgd'", '0.75', '2.0'],
    ]);
    expect(values).toEqual([
      ...['0.08', '128', '2e-3', '10', '2', '0.2', '0.04', 'True', '6'],
      ...['0.95', '2e-4', '"sgd"', '0.75', '2.0'],
    ]);
  });

  test('what the environment or the command gives is none', () => {
    const train = 'C=2 python train.py --momentum 0.8 --weight-decay=0 --layers 8';
    const given = givenBy({ environment: ['A', 'WARMUP'], train });
    expect(names('train.py', SOURCE, given)).toEqual([
      ...['B', 'D', 'GATE', 'Config.rate', 'Config.is_deep', '--optimizer', '--decay', 'CLIP'],
    ]);
  });

  test('a name that is given another value anywhere in the module is none', () => {
    const source = `A = 1
B = 2
C = 3
D = 4
E = int(os.environ.get("X", 5))
F = int(os.environ.get("X", 6))
G = int(os.environ.get("Y", 7))
if B:
    A = 2
B, H = 1, 2
def f():
    global C
    D = 5
    C = 9
os.environ["Y"] = "1"
`;
    expect(names('f.py', source)).toEqual(['D']);
  });

  test('a file with a mistake in it is read as far as it can be', () => {
    expect(names('f.py', 'A = 1\ndef f(:\n    pass\nB = 2\n')).toContain('A');
  });

  test('no Python makes the reading slow or deep', () => {
    for (const evil of ['(', '*', '@', '-', 'a=', 'f"{', 'lambda x:', 'if x:\n ', '[', '"']) {
      const start = cpuMs();
      findConstants('f.py', evil.repeat(Math.ceil(400_000 / evil.length)));
      findConstants('f.py', evil.repeat(Math.ceil(30_000 / evil.length)));
      // Bounds the algorithm and times nothing: without a limit some of these take half a minute.
      expect(cpuMs() - start).toBeLessThan(15_000);
    }
  });
});
