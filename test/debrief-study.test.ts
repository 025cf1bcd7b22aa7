import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Debrief } from '../src/shared/debrief/debrief.ts';
import { pawl, sitting } from './support/pawl.ts';
import { createRepository, temporaryFolder } from './support/scaffold.ts';

/** Each LR has its own number, which WIDTH changes a little; LR 4 crashes with a path of this machine in its message. */
const TRAINER = `LR=0
WIDTH=0
case $LR in
  0) value=1.00 ;; 1) value=0.900$WIDTH ;; 2) value=1.20 ;;
  4) echo "Traceback (most recent call last):"; echo "FileNotFoundError: no $PWD/data.bin"; exit 1 ;;
  5) value=0.80 ;; *) value=1.30 ;;
esac
printf 'val_bpb: %s\\n' $value
`;

/** Experiment n sets LR to n, but 3 sets WIDTH; 2 predicts a large gain. */
const PROPOSER = `read -r request; n=\${request#*\\"experiment\\":}; n=\${n%%,*}
[ "$n" = 3 ] && name=WIDTH || name=LR
sed -i "s/^$name=.*/$name=$n/" train.sh
[ "$n" = 2 ] && effect=-0.5 || effect=null
echo "{\\"hypothesis\\":\\"Set LR to $n\\",\\"category\\":\\"rate\\",\\"predicted_effect\\":$effect}"`;

async function night() {
  const home = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': TRAINER,
    'pawl.toml': `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "val_bpb"
[budget]
seconds = 5
`,
  });
  await sitting(['run', repository, '--tag', 'night', '--command', PROPOSER, '-n', '4'], { home });
  await sitting(['resume', repository, '-n', '6'], { home });
  const report = async (...args: string[]) => (await pawl(['report', repository, ...args], { home })).stdout;
  const debrief = async (...args: string[]) =>
    JSON.parse(await report('--format', 'json', ...args)) as Debrief;
  return { home, repository, report, debrief };
}

test('a report tells what the study was worth, and each sitting of it, from the ledger', async () => {
  const { report, debrief, repository, home } = await night();
  const whole = await debrief();
  expect(whole.counts).toEqual({ tried: 6, keep: 2, discard: 3, crash: 1, other: 0, refused: 1, repeats: 0 });
  expect([whole.before?.n, whole.after?.n]).toEqual([0, 5]);
  expect(whole.kept.map(({ n, gain }) => [n, gain?.toFixed(4)])).toEqual([
    [1, '0.1000'],
    [5, '0.1000'],
  ]);
  expect(whole.nearMisses.map(({ n }) => n)).toEqual([3]);
  expect(whole.surprises.map(({ n, predicted, actual }) => [n, predicted, actual.toFixed(2)])).toEqual([
    [2, 0.5, '-0.30'],
  ]);
  expect(whole.crashes).toMatchObject([{ class: 'exception', experiments: [4] }]);
  expect(whole.arms).toMatchObject([{ proposer: 'command', experiments: 6, keep: 2, crash: 1 }]);
  expect(whole.arms[0]?.gain).toBeCloseTo(0.2, 9);
  expect(whole.sittings.map(({ experiments }) => experiments)).toEqual([5, 2]);
  expect(whole.time.trained).toBeGreaterThan(0);
  expect(whole.time.wall).toBeGreaterThan(whole.time.trained);

  const second = await debrief('--sitting', 'last');
  expect(second.counts).toMatchObject({ tried: 2, keep: 1, discard: 1, crash: 0 });
  expect([second.before?.n, second.after?.n]).toEqual([1, 5]);
  expect(second.time.wall).toBeLessThan(whole.time.wall);
  const first = await debrief('--sitting', '1');
  expect([first.before?.n, first.after?.n]).toEqual([0, 1]);

  // The crash's message names the worktree, and the report goes to others.
  for (const format of ['md', 'html', 'json']) {
    const text = await report('--format', format, '--diffs');
    expect(text, format).toContain('FileNotFoundError');
    for (const path of [home, repository]) expect(text, format).not.toContain(path);
  }
  expect(await report('--format', 'html', '--diffs')).toContain('<span class="added">+LR=5</span>');
});

test('a sitting that only audited says what it did', async () => {
  const { report, debrief, repository, home } = await night();
  const { code } = await sitting(['audit', repository, '--runs', '5'], { home });
  expect(code).toBe(0);
  const { counts } = await debrief('--sitting', 'last');
  expect(counts.repeats).toBeGreaterThan(1);
  const said = `Nothing new was tried in .*: ${counts.repeats} runs measured earlier experiments again\\.`;
  expect(await report('--sitting', 'last')).toMatch(new RegExp(said));
  expect(await report()).toMatch(/^6 experiments in .*: 2 kept, 3 discarded, 1 crashed\./m);
});

test('what cannot be reported says why', async () => {
  const { repository, home, report } = await night();
  const wrong = await pawl(['report', repository, '--sitting', '3'], { home });
  expect([wrong.code, wrong.stderr]).toEqual([2, 'pawl: night has 2 sittings.\n']);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), '');
  const nowhere = await pawl(['report', repository, '-o', join(folder, 'file', 'x.md')], { home });
  expect(nowhere.code).toBe(2);
  expect(nowhere.stderr).toMatch(/^pawl: The report cannot be written to .*ENOTDIR/);
  expect(await report()).toMatch(/^# .*: night\n/);
});

test('who proposed is compared over all studies of the repository with the same metric', async () => {
  const { home, repository, report } = await night();
  expect(await report()).not.toContain('in all studies');
  await sitting(['run', repository, '--tag', 'other', '--proposer', 'search', '--seed', '1', '-n', '2'], {
    home,
  });
  // Another metric is another question.
  await pawl(['run', repository, '--tag', 'else', '--metric', 'another', '--command', PROPOSER], { home });
  const markdown = await report('--tag', 'other');
  const [, own = '', all = ''] = markdown.split(/^## Who proposed.*$/m);
  expect(own).toMatch(/^\| search \\?\(?.*\| 2 \|/m);
  expect(own).not.toContain('| command');
  expect(markdown).toContain('## Who proposed, in all studies (other, night)');
  expect(all).toMatch(/^\| search.*\| 2 \|/m);
  expect(all).toMatch(/^\| command.*\| 6 \|/m);
});
