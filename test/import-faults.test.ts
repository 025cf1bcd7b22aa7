import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pawl } from './support/pawl.ts';
import { tableDesk } from './support/table-desk.ts';
import { UPSTREAM } from './support/tables.ts';

test.each([
  [
    'a metric that is no number',
    UPSTREAM.replace('1.005000', 'about 1'),
    'line 4: "about 1" is not a number.',
  ],
  [
    'too few fields, so that no verdict stands in its place',
    UPSTREAM.replace('\t1.005000', ''),
    'line 4: 4 fields, but the header has 5.',
  ],
  [
    'a field too many before the verdict',
    UPSTREAM.replace('\t1.005000', '\t1.005000\t1.1'),
    'line 4: 6 fields, but the header has 5.',
  ],
])('a row with %s is skipped, counted and listed', async (_, table, listed) => {
  const desk = await tableDesk();
  const { code, stdout } = await desk.import('odd.tsv', table);
  expect(code).toBe(0);
  expect(stdout).toContain('Imported 3 experiments as odd: 2 keep, 0 discard, 1 crash, keep rate 100.0 %.\n');
  expect(stdout).toContain(`Skipped 1 row:\n  ${listed}\n`);
  expect((await desk.rows('odd')).map(row => row.verdict)).toEqual(['keep', 'keep', 'crash']);
});

test('a row without its last field, and one with an infinite number, are kept as far as they go', async () => {
  const desk = await tableDesk();
  const table = UPSTREAM.replace('\tswitch to GeLU activation', '').replace('1.005000', 'Infinity');
  expect((await desk.import('odd.tsv', table)).code).toBe(0);
  expect((await desk.rows('odd'))[2]).toMatchObject({
    ...{ verdict: 'discard', metric: null, hypothesis: 'no description' },
  });
});

test('what the file leaves open is asked for with exit code 2, and nothing is written', async () => {
  const desk = await tableDesk();
  const two = 'commit\tndcg@10\tmap@100\tstatus\na1b2c3d\t0.4\t0.2\tkeep\nb1b2c3d\t0.5\t0.1\tdiscard\n';
  expect(await desk.import('two.tsv', two)).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: 'pawl: two.tsv: which of these is the metric: "ndcg@10", "map@100"? Name it with --metric.\n',
  });
  const one = 'commit\tmetric\tstatus\na1b2c3d\t4\tkeep\n';
  expect(await desk.import('one.tsv', one)).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr:
      'pawl: one.tsv: is a lower or a higher metric better? Neither the file, nor its name, nor the kept rows say. Use --goal minimize or --goal maximize.\n',
  });
  expect(await desk.import('two.tsv', two, '--metric', 'speed')).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: 'pawl: two.tsv has no column "speed"; it has "commit", "ndcg@10", "map@100", "status".\n',
  });
  expect(desk.countStudies()).toBe(0);
  expect((await desk.import('two.tsv', two, '--metric', 'map@100')).stdout).toBe(
    'Imported 2 experiments as two: 1 keep, 1 discard, 0 crash, keep rate 50.0 %.\n' +
      'map@100: higher is better, as its name says.\n' +
      'map@100: baseline 0.200000, best 0.200000 in #0\n',
  );
  expect((await desk.import('one.tsv', one, '--goal', 'maximize')).code).toBe(0);
});

test('a heading without a row is an empty study, and said so', async () => {
  const desk = await tableDesk();
  const { code, stdout } = await desk.import('none.tsv', 'commit\tval_bpb\tmemory_gb\tstatus\tdescription\n');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'Imported none: a header without rows, so an empty study.\n',
  });
  expect(await desk.rows('none')).toEqual([]);
});

test('of many rows the one that cannot be read is left out', async () => {
  const desk = await tableDesk();
  const rows = [...Array(20_000).keys()].map(index => `a1b2c3d\t0.99\t44.0\tdiscard\tidea ${index}\n`);
  const table = UPSTREAM + rows.join('');
  const odd = await desk.import('odd.tsv', `${table}a1b2c3d\tabout 1\t44.0\tdiscard\tlast\n`);
  expect(odd.stdout).toContain('Skipped 1 row:\n  line 20006: "about 1" is not a number.\n');
  expect(odd.stdout).toMatch(/^Imported 20,004 experiments as odd: 2 keep, 20,001 discard, 1 crash/);
  expect(await desk.export('odd')).toBe(table);
});

test('the name of the study is as much of the name of the file as is allowed', async () => {
  const desk = await tableDesk();
  const named = async (file: string) => (await desk.import(file, UPSTREAM)).stdout;
  expect(await named(`${'night-'.repeat(20)}.tsv`)).toContain(` as ${'night-'.repeat(20).slice(0, 64)}:`);
  expect(await named('_last..night .tsv')).toContain(' as last.night-:');
  expect(await named('№.tsv')).toContain(' as imported:');
});

test('a file too large for a table is refused by its size', async () => {
  const desk = await tableDesk();
  const { code, stderr } = await desk.import('bad.tsv', Buffer.alloc(65 * 1024 * 1024, 'x'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/bad\.tsv has 68157440 bytes; at most 67108864 are read\.\n$/);
});

test('a file that is not there, and a folder, are refused in one line', async () => {
  const desk = await tableDesk();
  for (const path of [join(desk.home, 'none.tsv'), desk.home]) {
    const { code, stdout, stderr } = await pawl(['import', path, '--tag', 'x'], { home: desk.home });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^pawl: .* cannot be read: (there is no such file|it holds no run-.*)\.\n$/);
  }
});

test('a pipe is refused and not waited for, a link to a plain file is read', async () => {
  const desk = await tableDesk();
  const [pipe, device, link] = ['pipe.tsv', 'device.tsv', 'link.tsv'].map(name => join(desk.home, name));
  execFileSync('mkfifo', [pipe ?? '']);
  await symlink('/dev/zero', device ?? '');
  await writeFile(join(desk.home, 'real'), UPSTREAM);
  await symlink(join(desk.home, 'real'), link ?? '');
  for (const path of [pipe, device]) {
    const { code, stderr } = await pawl(['import', path ?? ''], { home: desk.home });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `pawl: ${path} cannot be read: it is not a plain file.\n`,
    });
  }
  expect((await pawl(['import', link ?? ''], { home: desk.home })).code).toBe(0);
});

test('a control character in a table reaches the terminal as none', async () => {
  const desk = await tableDesk();
  await desk.import('odd.tsv', UPSTREAM.replace('GeLU', '\x1b]0;title\x07\x1b[31mGeLU'));
  const { stdout } = await pawl(['results', '--tag', 'odd'], { home: desk.home });
  expect(stdout).toContain('GeLU');
  expect(stdout).not.toMatch(/[\x1b\x07]/);
  const shown = await desk.import('bad.tsv', UPSTREAM.replace('1.005000', '\x1b[31mabout 1'));
  expect(shown.stdout).toContain('about 1');
  expect(shown.stdout).not.toContain('\x1b');
  const asked = await desk.import('worse.tsv', 'id\t\x1b[31ma_x\tb_y\tstatus\n1\t2\t3\tkeep\n');
  expect(asked.code).toBe(2);
  expect(asked.stderr).not.toContain('\x1b');
});
