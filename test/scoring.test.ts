import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { findFileFaults } from '../src/engine/preflight/check-files.ts';
import { copyArtifacts, findArtifacts } from '../src/engine/stages/score/artifacts.ts';
import { claimOf, withClaims } from '../src/engine/stages/score/claims.ts';
import { readScore } from '../src/engine/stages/score/read-score.ts';
import { contractFile, temporaryFolder, writeFiles } from './support/scaffold.ts';

test.each([
  ['{"val_bpb": 1.5, "n": 2}\n', { val_bpb: 1.5, n: 2 }],
  ['', /wrote no score/],
  ['1.5', /has to write a JSON object/],
  ['[1.5]', /has to write a JSON object/],
  ['{"val_bpb": 1.5}\n{"val_bpb": 1.4}', /not one line of JSON/],
  ['{"val_bpb": NaN}', /not one line of JSON/],
  ['{"val_bpb": 1e999}', /val_bpb is not a finite number/],
  ['{"val_bpb": "1.5"}', /val_bpb is not a finite number/],
  ['{"val_bpb": 1.5, "more": null}', /more is not a finite number/],
  ['{"loss": 1.5}', /without val_bpb; it names loss/],
  ['{}', /without val_bpb; it names nothing/],
  [`{"val_bpb": 1${' '.repeat(70_000)}}`, /more than 64 KiB/],
])('a score of %j', (text, wanted) => {
  const found = readScore(text, 'val_bpb');
  if (wanted instanceof RegExp) expect(found).toMatch(wanted);
  else expect(found).toEqual(wanted);
});

test('a printed metric is kept as a claim, and is the number only where a scorer gave it', () => {
  const printed = { val_bpb: 0.1, steps: 5 };
  expect(withClaims(printed, { val_bpb: 2 }, 'val_bpb')).toEqual({
    printed_val_bpb: 0.1,
    steps: 5,
    val_bpb: 2,
  });
  expect(withClaims(printed, null, 'val_bpb')).toEqual({ printed_val_bpb: 0.1, steps: 5 });
  expect(withClaims(null, { val_bpb: 2 }, 'val_bpb')).toEqual({ val_bpb: 2 });
  expect(withClaims(null, null, 'val_bpb')).toBeNull();
});

test('a claim that differs is told where the baseline printed its own score', () => {
  const run = (printed: number, scored: number) => ({ printed_loss: printed, loss: scored });
  expect(claimOf(run(1, 2), run(3, 3.001), 'loss')).toEqual({ printed: 1, scored: 2 });
  expect(claimOf(run(2.001, 2), run(3, 3), 'loss')).toBeNull();
  expect(claimOf(run(1, 2), run(3, 4), 'loss')).toBeNull();
  expect(claimOf({ loss: 2 }, run(3, 3), 'loss')).toBeNull();
  expect(claimOf(run(1, 2), null, 'loss')).toBeNull();
});

test('artifacts are plain files that patterns name, and never a locked file or what a link leads to', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'model.bin': 'weights',
    'out/a/b.bin': 'b',
    'out/c.txt': 'c',
    'prepare.py': 'locked',
    '.git': 'x',
    secret: 's',
  });
  await symlink(join(folder, 'secret'), join(folder, 'out/link.bin'));
  await symlink(folder, join(folder, 'out/around'));
  const find = async (...patterns: string[]) =>
    (await findArtifacts(folder, patterns, path => path === 'prepare.py'))?.map(({ path }) => path).sort();
  expect(await find('model.bin')).toEqual(['model.bin']);
  expect(await find('out')).toEqual(['out/a/b.bin', 'out/c.txt']);
  expect(await find('out/')).toEqual(['out/a/b.bin', 'out/c.txt']);
  expect(await find('**/*.bin')).toEqual(['model.bin', 'out/a/b.bin']);
  expect(await find('prepare.py', 'none')).toEqual([]);
  const to = await temporaryFolder();
  const { signal } = new AbortController();
  await copyArtifacts(folder, [{ path: 'out/a/b.bin', bytes: 1 }], to, signal);
  await expect(copyArtifacts(folder, [{ path: 'out/link.bin', bytes: 1 }], to, signal)).rejects.toThrow(
    /became a link/,
  );
});

test('whoever may edit the scorer gives the number, so an editable file cannot score', () => {
  const tree = ['train.sh', 'score.py'].map(path => ({ mode: '100644', path }));
  const faults = (command: string) =>
    findFileFaults(
      tree,
      parsePawlToml(
        `${contractFile()}[score]\ncommand = ${JSON.stringify(command)}\nartifacts = ["x"]\n`,
        'pawl.toml',
      ),
    ).map(({ message }) => message);
  expect(faults('python3 score.py')).toEqual([]);
  expect(faults('python3 score.py && sh ./train.sh')).toEqual([
    expect.stringMatching(/^score\.command names train\.sh, which is editable/),
  ]);
});
