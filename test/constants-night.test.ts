import { expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenBy } from '../src/engine/proposers/search/given.ts';
import { lastText, modelNight, proposal, use } from './support/model-night.ts';
import { pawl, sitting } from './support/pawl.ts';
import { createRepository, git, temporaryFolder } from './support/scaffold.ts';

/** Says in the log what it sees of each constant; every value nearer to 1 is better. */
const TRAINER = `import argparse, json, os
from dataclasses import dataclass


@dataclass
class Config:
    width: int = 3


parser = argparse.ArgumentParser()
parser.add_argument("--decay", type=float, default=0.3)
parser.add_argument("--given", type=int, default=2)
args = parser.parse_args()
settings = json.load(open("config.json"))
seen = {
    "RATE": float(os.environ.get("RATE", "4.0")),
    "Config.width": Config().width,
    "--decay": args.decay,
    "optimizer.momentum": settings["optimizer"]["momentum"],
}
print("seen", json.dumps(seen))
print("METRIC score=%r" % sum(abs(value - 1) for value in seen.values()))
`;
const CONFIG = '{\n  "optimizer": {"momentum": 0.6, "seed": 3}\n}\n';
const CONTRACT = `[contract]
editable = ["train.py", "config.json"]
train = "python3 train.py --given 3"
environment = ["PASSED"]
[metric]
name = "score"
goal = "minimize"
`;

test('every value the search proposes is the one the program sees, in code, options, fields and data', async () => {
  const home = await temporaryFolder();
  const repository = await createRepository({
    ...{ 'train.py': TRAINER, 'config.json': CONFIG, 'pawl.toml': CONTRACT },
  });
  const { code, events } = await sitting(['run', repository, '--tag', 'night', '-n', '8'], { home });
  expect(code).toBe(0);
  const given = givenBy({ environment: ['PASSED'], train: 'python3 train.py --given 3' });
  const turned = new Set<string>();
  for (const event of events) {
    if (event.type !== 'attempted' || event.n === 0) continue;
    const { stdout } = await pawl(['show', String(event.n), '--log', '-C', repository], { home });
    const seen = JSON.parse(/^seen (.*?)\r?$/m.exec(stdout)?.[1] ?? '') as Record<string, number>;
    const written: Record<string, number> = {};
    for (const file of ['train.py', 'config.json']) {
      const content = await git(repository, 'show', `${event.commit}:${file}`);
      for (const { name, literal } of findConstants(file, content, given))
        written[name] = Number(literal.text);
    }
    expect(written).toEqual(seen);
    const { hypothesis = '' } = events.find(other => other.type === 'proposed' && other.n === event.n) as {
      hypothesis?: string;
    };
    turned.add(/^(?:Raise|Lower) (\S+)/.exec(hypothesis)?.[1] ?? hypothesis);
  }
  expect(turned.size).toBeGreaterThan(2);
});

test('a model hands over constants of any kind by the names the search gives them', async () => {
  const tuning = (name: string, file: string, low: number, high: number) => ({
    kind: 'message' as const,
    blocks: [
      use('tune_constants', {
        ...{ hypothesis: 'It is not where it should be', rationale: 'Nobody looked.', experiments: 2 },
        constants: [{ file, name, low, high }],
      }),
    ],
  });
  const trainer = `RATE=2
python3 - <<'END'
import os
rate = float(os.environ.get("PACE", 4.0))
END
echo "val_bpb: $RATE"
`;
  const night = await modelNight(
    (_, index) =>
      index === 0
        ? tuning('PACE', 'train.sh', 1, 8)
        : index === 1
          ? tuning('RATE', 'train.sh', 1, 8)
          : proposal('RATE=', 'RATE=1'),
    { experiments: 1, trainer },
  );
  expect(await night.run()).toBe('experiments');
  // What is no Python is not read as such, and the model is told what there is.
  expect(lastText(night.server.requests[1])).toContain(
    'train.sh has no constant PACE that the search can change. It has: RATE.',
  );
});
