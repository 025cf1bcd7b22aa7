import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@playwright/test';
import { QUICK_PYTHON } from '../../../test/support/python.ts';

/** The proposal for one experiment. */
export type Turn = {
  readonly hypothesis: string;
  readonly rationale?: string;
  readonly predicted_effect?: number;
  readonly category?: string;
  /** Constants of `train.py` and their new values. */
  readonly set: Readonly<Record<string, string>>;
  /** Whether the proposer first changes a locked file, which is refused. */
  readonly isRefusedFirst?: boolean;
};

/** The request that the command proposer got on stdin. */
export type ProposerRequest = {
  readonly experiment: number;
  readonly instructions: string | null;
  /** What earlier studies learnt. */
  readonly memory: string | null;
  readonly steering: readonly { readonly text: string }[];
  /** The idea from the queue that the proposer gets. */
  readonly idea: { readonly hypothesis: string } | null;
  readonly history: readonly { readonly experiment: number; readonly verdict: string | null }[];
};

const PROGRAM = `# What to try

Make \`val_bpb\` lower within the budget.

- One idea at a time.
- Keep the code short; a simplification that costs nothing is a gain.
`;

const TRAIN = `"""Trains a small byte model. Everything in here may change."""
import sys

import prepare

# Hyperparameters, edited directly.
LEARNING_RATE = 0.02
WEIGHT_DECAY = 0.1
DEPTH = 4
WARMUP_RATIO = 0.0
BATCH_SIZE = 64
ACTIVATION = "gelu"
TRAIN_SECONDS = 0.6
SEED = 0


def forward(batch):
    return prepare.allocate(batch)


def main():
    prepare.begin(SEED)
    for step in range(1, prepare.STEPS + 1):
        loss = prepare.loss_at(step, globals())
        forward(BATCH_SIZE)
        share = 100 * step / prepare.STEPS
        left = TRAIN_SECONDS * (1 - step / prepare.STEPS)
        sys.stdout.write(
            f"\\rstep {step:05d} ({share:.1f}%) | loss: {loss:.6f} | lrm: 1.00 | dt: {1000 * TRAIN_SECONDS / prepare.STEPS:.0f}ms"
            f" | tok/sec: {BATCH_SIZE * 2048:,} | mfu: 39.8% | epoch: 1 | remaining: {left:.0f}s    "
        )
        sys.stdout.flush()
        prepare.wait(step, TRAIN_SECONDS)
    print()
    print("---")
    print(f"val_bpb:          {prepare.evaluate(globals()):.6f}")
    print(f"training_seconds: {TRAIN_SECONDS:.1f}")
    print(f"peak_vram_mb:     {420 + 60 * DEPTH:.1f}")
    print(f"total_tokens_M:   {prepare.STEPS * BATCH_SIZE * 2048 / 1e6:.1f}")
    print(f"num_steps:        {prepare.STEPS}")
    print(f"num_params_M:     {0.4 * DEPTH:.1f}")


main()
`;

/** The locked file: it computes the numbers, and waits while a test holds the run. */
const prepare = (control: string, steps: number) => `"""Data, evaluation and budget. Fixed."""
import math
import os
import time

TIME_BUDGET = 2
STEPS = ${steps}
CONTROL = ${JSON.stringify(control)}


def begin(seed):
    print(f"Loading the corpus: 1,115,394 bytes, seed {seed}")
    for shard in range(40):
        print(f"shard {shard:03d}: {27_000 + 13 * shard} bytes, checksum {7919 * (shard + 1) % 65_536:04x}")
    print("Vocabulary of 256 bytes, no tokenizer.", flush=True)


def evaluate(constants):
    value = 1.21
    value += 0.03 * abs(math.log2(constants["LEARNING_RATE"] / 0.08))
    value += 0.004 * abs(constants["DEPTH"] - 8)
    value += 0.05 * abs(constants["WEIGHT_DECAY"] - 0.2)
    value += 0.04 * abs(constants["WARMUP_RATIO"] - 0.05)
    value += 0.006 if constants["ACTIVATION"] == "gelu" else 0
    value -= 0.002 * (constants["TRAIN_SECONDS"] > 1)
    return value + 0.0001 * constants["SEED"]


def loss_at(step, constants):
    end = evaluate(constants) * math.log(2)
    return end + 4.2 * math.exp(-step / 5) + 0.03 * math.sin(3.1 * step) / math.sqrt(step)


def allocate(batch):
    if batch > 256:
        raise RuntimeError(f"CUDA out of memory. Tried to allocate {batch * 48} MiB (24.00 GiB in total)")
    return batch


def numbers(place):
    return [int(part) for part in place.split(".")]


def is_held(place):
    try:
        with open(CONTROL + "/hold") as file:
            return numbers(place) >= numbers(file.read())
    except FileNotFoundError:
        return False


def wait(step, seconds):
    time.sleep(seconds / STEPS)
    # The marker of a run: study, experiment, run.
    place = os.environ["PAWL_RUN"].split("/")[1]
    while step == STEPS // 2 and is_held(place):
        with open(CONTROL + "/held", "w") as file:
            file.write(place)
        time.sleep(0.05)
`;

const PROPOSE = `import json, os, re, sys
here = os.path.dirname(os.path.abspath(__file__))
request = json.load(sys.stdin)
n = request["experiment"]
if request["kind"] == "repair":
    sys.exit("There is nothing to mend about this idea.")
with open(os.path.join(here, "requests", "%d.json" % n), "w") as file:
    json.dump(request, file)
with open(os.path.join(here, "turns.json")) as file:
    turns = json.load(file)
turn = turns[n - 1] if n <= len(turns) else {
    "hypothesis": "Another order of the data, seed %d" % n,
    "rationale": "How much of a difference is luck?",
    "predicted_effect": 0.0,
    "category": "seed",
    "set": {"SEED": str(n)},
}
if turn.get("isRefusedFirst") and not request["refused"]:
    with open("prepare.py", "a") as file:
        file.write("TIME_BUDGET = 20\\n")
text = open("train.py").read()
for name, value in turn["set"].items():
    text = re.sub(r"(?m)^%s = .*$" % name, "%s = %s" % (name, value), text)
open("train.py", "w").write(text)
print(json.dumps({key: turn.get(key) for key in ("hypothesis", "rationale", "predicted_effect", "category")}))
`;

const CONTRACT = `[contract]
editable = ["train.py"]
instructions = "program.md"
train = ${JSON.stringify(`${QUICK_PYTHON} -B train.py`)}

[metric]
name = "val_bpb"
memory = "peak_vram_mb"

[budget]
seconds = 2
limit_seconds = 3600
`;

export type BenchOptions = {
  /** The first proposals. After them, the proposer changes the seed. */
  readonly turns?: readonly Turn[];
  /** Name of the repository's folder. */
  readonly name?: string;
  /** How many seconds a run takes. */
  readonly seconds?: number;
  /** A run with too few steps has no measured speed, which would vary with the load of the machine. */
  readonly steps?: number;
  /** Whether each line of output gives the number of tokens so far, instead of tokens per second. */
  readonly countsTokens?: boolean;
  /** More lines for `[metric]` in the contract. */
  readonly metric?: string;
  /** The lines of `[checks]` in the contract. */
  readonly checks?: string;
  /** The folder in which to create the bench. By default, it gets a new one. */
  readonly folder?: string;
};

/** Where another process finds a bench. */
export type BenchPlace = { readonly folder: string; readonly name: string };

/** A repository with a real, quick training that a test can pause, and a command that proposes for it. */
export class Bench {
  readonly folder: string;
  readonly repository: string;
  /** The command line of the proposer. */
  readonly command: string;

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.repository = join(folder, name);
    this.command = `${QUICK_PYTHON} "${join(folder, 'propose.py')}"`;
  }

  /** Returns a bench that another process has created. */
  static at({ folder, name }: BenchPlace): Bench {
    return new Bench(folder, name);
  }

  get place(): BenchPlace {
    return { folder: this.folder, name: basename(this.repository) };
  }

  static async make(options: BenchOptions = {}): Promise<Bench> {
    const { turns = [], name = 'byte-model', seconds = 0.6, steps = 30, metric = '', checks = '' } = options;
    const bench = new Bench(options.folder ?? (await temporaryFolder('bench')), name);
    await mkdir(join(bench.folder, 'control'), { recursive: true });
    await mkdir(join(bench.folder, 'requests'));
    await writeFile(join(bench.folder, 'propose.py'), PROPOSE);
    await writeFile(join(bench.folder, 'turns.json'), JSON.stringify(turns));
    const train = options.countsTokens ? TRAIN.replace('tok/sec: {', 'tokens: {step * ') : TRAIN;
    await makeRepository(bench.repository, {
      'train.py': train.replace('TRAIN_SECONDS = 0.6', `TRAIN_SECONDS = ${seconds}`),
      'prepare.py': prepare(join(bench.folder, 'control'), steps),
      'program.md': PROGRAM,
      'pawl.toml': `${CONTRACT.replace('[budget]', `${metric}\n[budget]`)}\n[checks]\n${checks}\n`,
      'README.md': '# A byte model\n',
    });
    return bench;
  }

  /** From run `k` of experiment `n` on, every run waits in its middle until `letGo`. */
  async hold(n = 0, k = 0): Promise<void> {
    // A run that was let go may have said once more that it is held.
    await rm(this.#control('held'), { force: true });
    // A training reads all of it, or finds nothing.
    await writeFile(this.#control('hold.part'), `${n}.${k}`);
    await rename(this.#control('hold.part'), this.#control('hold'));
  }

  async letGo(): Promise<void> {
    await rm(this.#control('hold'), { force: true });
    await rm(this.#control('held'), { force: true });
  }

  #control(name: string): string {
    return join(this.folder, 'control', name);
  }

  /** Waits until a run is held, and returns the number of its experiment. */
  async untilHeld(): Promise<number> {
    let text = '';
    await expect(async () => {
      text = await readFile(this.#control('held'), 'utf8');
      expect(text).toMatch(/^\d+\.\d+$/);
    }).toPass();
    return Number.parseInt(text, 10);
  }

  /** Returns the proposer's request for an experiment. Rejects if there was none. */
  async request(n: number): Promise<ProposerRequest> {
    const text = await readFile(join(this.folder, 'requests', `${n}.json`), 'utf8');
    return JSON.parse(text) as ProposerRequest;
  }

  git(...args: readonly string[]): Promise<string> {
    return git(this.repository, ...args);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Creates a repository with one commit of the files on `main`. */
export async function makeRepository(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git(folder, 'init', '--quiet', '--initial-branch=main');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--message=start');
}

/** Runs git as a user would. Returns stdout without the last line break. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=Tester', '-c', 'user.email=tester@localhost'];
  const { stdout } = await promisify(execFile)('git', [...identity, ...args], { cwd: folder });
  return stdout.trimEnd();
}

/** Creates a folder that the caller must remove. */
export async function temporaryFolder(kind: string): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), `pawl-web-${kind}-`)));
}
