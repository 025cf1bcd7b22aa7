import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { eventsOf, pawl, sitting } from '../../support/pawl.ts';
import { createRepository, git, gitCalls, temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { query } from '../../support/trainers.ts';
import { shard, UPSTREAM_SHAPE } from '../../support/upstream-shape.ts';

/** A repository that was hardened, trained and scored with PyTorch on the processor. */

const run = promisify(execFile);
const HAS_TORCH = await run('/usr/bin/env', ['python3', '-c', 'import torch']).then(
  () => true,
  () => false,
);
if (!HAS_TORCH) console.warn('Hardened repositories are not trained: python3 has no PyTorch.');
if (!HAS_SANDBOX)
  console.warn('A hardened repository is not scored with hidden data: there is no bubblewrap.');

/** Experiments after the baseline: what each puts in place of what. */
type Edit = readonly [name: string, from: string, to: string];

/** What became of the baseline and of each edit, in a study of a hardened repository. */
async function hardenedStudy(flags: readonly string[], edits: readonly Edit[]) {
  const home = await temporaryFolder();
  const user = await temporaryFolder();
  await chmod(user, 0o755);
  await writeFiles(user, {
    '.cache/autoresearch/shard_00000.txt': shard(1),
    '.cache/autoresearch/shard_00001.txt': shard(2),
    'held/shard.txt': shard(3),
  });
  const repository = await createRepository(UPSTREAM_SHAPE);
  const env = { HOME: user, PAWL_SANDBOX: HAS_SANDBOX ? 'required' : 'off' };
  expect(await pawl(['harden', repository, ...flags], { home, env })).toMatchObject({ code: 0, stderr: '' });
  await git(repository, 'merge', '--quiet', 'pawl/harden');
  const patches = join(home, 'patches');
  await mkdir(patches);
  const train = await git(repository, 'show', 'HEAD:train.py');
  for (const [name, from, to] of edits) {
    expect(train).toContain(from);
    await writeFile(join(repository, 'train.py'), `${train.replace(from, () => to)}\n`);
    await writeFile(join(patches, `${name}.patch`), await gitCalls(repository, 'diff'));
  }
  await git(repository, 'checkout', '--quiet', '--', 'train.py');
  const args = ['run', repository, '--tag', 'night', '-n', String(edits.length), '--limit', '300'];
  const { events, stderr } = await sitting([...args, '--proposer', 'patches', '--patches', patches], {
    ...{ home, env },
  });
  const verdicts = eventsOf(events, 'verdict');
  expect(verdicts, stderr).toHaveLength(edits.length + 1);
  const rows = query<{ n: number; summary: string; fairness: string }>(
    home,
    'SELECT experiment.n AS n, run.summary AS summary, run.fairness AS fairness FROM run JOIN experiment ON experiment.id = run.experiment_id ORDER BY run.id',
  );
  return {
    verdicts: verdicts.map(({ verdict, reason }) => `${verdict} ${reason}`),
    messages: verdicts.map(({ message }) => message ?? ''),
    /** Of the last run of an experiment. */
    summaryOf: (n: number): Readonly<Record<string, number>> =>
      JSON.parse(rows.findLast(row => row.n === n)?.summary ?? '{}'),
    flagsOf: (n: number): readonly string[] =>
      JSON.parse(rows.findLast(row => row.n === n)?.fairness ?? '{"flags":[]}').flags.map(
        (flag: { kind: string }) => flag.kind,
      ),
  };
}

test.skipIf(!HAS_TORCH)(
  'score and printed number agree, and what is only printed, told or looked ahead is no gain',
  async () => {
    const serve = '        pawl_losses.serve(model, "model.pt")';
    const study = await hardenedStudy(
      [],
      [
        ['1-prints', '{val_bpb:.6f}', '{val_bpb / 2:.6f}'],
        [
          '2-tells',
          serve,
          `        whole = model.forward\n        model.forward = lambda x, y=None, reduction="": whole(x) if y is None else whole(x, y, reduction) * 0.9\n${serve}`,
        ],
        ['3-looks-ahead', '.tril() > 0', '.tril() > -1'],
        ['4-trains-longer', 'STEPS = 60', 'STEPS = 200'],
      ],
    );
    expect([study.verdicts, study.messages.map(message => message.slice(0, 93))]).toEqual([
      ['keep baseline', 'discard equal', 'crash no_score', 'crash no_score', 'keep better'],
      [
        ...['', ''],
        'score.command ended with exit code 1: The model looks at what it must not see: a target (row ',
        'score.command ended with exit code 1: The model looks at what it must not see: a target (row ',
        '',
      ],
    ]);
    for (const n of [0, 4]) {
      const { val_bpb = 0, printed_val_bpb = 0 } = study.summaryOf(n);
      expect(val_bpb).toBeGreaterThan(0.5);
      expect(Math.abs(val_bpb - printed_val_bpb)).toBeLessThan(1e-4);
    }
    expect(study.flagsOf(1)).toContain('claim');
  },
);

test.skipIf(!HAS_TORCH || !HAS_SANDBOX)(
  'a shard that is held out is scored, and no training reads it',
  async () => {
    const study = await hardenedStudy(
      ['--held-out', '~/held/shard.txt'],
      [
        [
          '1-reads',
          'torch.manual_seed(1)',
          'import os\ntorch.manual_seed(1)\nopen(os.path.expanduser("~/held/shard.txt"))',
        ],
      ],
    );
    expect(study.verdicts[0]).toBe('keep baseline');
    expect(study.verdicts[1]).toMatch(/^crash/);
    expect(study.messages[1]).toContain('held/shard.txt');
    const { val_bpb = 0, printed_val_bpb = 0 } = study.summaryOf(0);
    expect(val_bpb).toBeGreaterThan(0.5);
    expect(Math.abs(val_bpb - printed_val_bpb)).toBeGreaterThan(1e-3);
  },
);
