import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTable } from '../src/engine/import/read-table.ts';
import { cpuMs } from './support/clock.ts';
import { interpret, table, tableOf } from './support/interpreted.ts';

const FOLDER = join(import.meta.dirname, 'fixtures', 'import');

function read(name: string, answers: { goal?: 'minimize' | 'maximize'; metric?: string } = {}) {
  return interpret(name, readFileSync(join(FOLDER, name)), answers);
}

const LOWER = { goal: 'minimize' } as const;
const HIGHER = { goal: 'maximize' } as const;

test.each([
  ['01-goal-comment.tsv', 'metric', LOWER, ['keep', 'discard', 'keep'], [113848, 128850, 98500]],
  ['02-goal-comment-higher-one-keep.tsv', 'metric', HIGHER, ['keep', 'no-op', 'keep'], [14, 14, 16]],
  ['03-status-words.tsv', 'score', HIGHER, ['keep', 'keep', 'discard'], [1, 1.2, 0.9]],
  ['04-best.tsv', 'val_bpb', LOWER, ['keep', 'discard', 'keep'], [1.8654, 1.882, 1.8642]],
  [
    '05-val_bpb-last-keep-higher.tsv',
    'val_bpb',
    LOWER,
    ['keep', 'discard', 'keep'],
    [1.094873, 1.207139, 1.179734],
  ],
  ['06-one-keep-accuracy.tsv', 'pass_rate', HIGHER, ['keep', 'discard'], [0.8, 0.7]],
  ['07-percent.tsv', 'score', HIGHER, ['keep', 'keep'], [68.6, 92]],
  ['08-decision-column.tsv', 'val_bpb', LOWER, ['keep', 'discard', 'crash'], [2.3467, 1.6005, null]],
  ['10-spaces-for-tabs.tsv', 'val_bpb', LOWER, ['keep', 'discard'], [0.997277, 1.001276]],
  ['12-iter-column.tsv', 'improvement_pct', HIGHER, ['discard', 'keep', 'keep'], [0.15, 1.89, 2.2]],
  ['13-note-line.tsv', 'metric', LOWER, ['keep', 'keep', 'correctness_fail'], [2.65, 1.41, null]],
  ['15-literal-backslash-t.tsv', 'val_bpb', LOWER, ['keep', 'discard'], [1.044255, 1.09531]],
  ['16-header-only.tsv', 'primary_rmse', LOWER, [], []],
  ['17-short-row.tsv', 'val_bpb', LOWER, ['keep', 'discard'], [1.044255, 1.044255]],
  ['20-wrong-sentinel.tsv', 'score', HIGHER, ['keep', 'keep'], [-999, 1.079]],
  ['21-pi.jsonl', 'combined_µs', LOWER, ['keep', 'discard', 'crash', 'crash'], [3818, 4063, null, null]],
  ['22-kept-bool.jsonl', 'score_ns', LOWER, ['keep', 'discard'], [2657600000, null]],
  ['23-comma.csv', 'val_bpb', LOWER, ['keep', 'keep'], [1, 0.99]],
  ['25-discard-zero.tsv', 'val_bpb', LOWER, ['keep', 'discard'], [1.4, null]],
  ['27-hex-id-first.tsv', 'tg_tok_s', HIGHER, ['keep', 'discard', 'keep'], [29.17, 26.34, 37.32]],
  ['28-inf.tsv', 'val_bpb', LOWER, ['keep', 'crash'], [0.9752, null]],
  ['t-blocked_na.tsv', 'val_bpb', LOWER, ['blocked'], [null]],
  ['t-crlf_bom.tsv', 'val_bpb', LOWER, ['keep'], [1.865]],
  ['t-dash.tsv', 'val_bpb', LOWER, ['keep', 'crash'], [1.865, null]],
  ['t-header_again.tsv', 'val_bpb', LOWER, ['keep', 'discard'], [1.865, 1.9]],
  ['t-keep_mark.tsv', 'val_bpb', LOWER, ['keep'], [1.865]],
] as const)('%s is read: %s', (name, metric, goal, verdicts, numbers) => {
  const table = tableOf(read(name));
  expect(table).toMatchObject({ metric, ...goal, verdicts, numbers });
  expect(table.skipped).toEqual(name === '13-note-line.tsv' ? [3] : []);
});

test('of two columns that could be the metric it is asked which one is', () => {
  expect(read('19-secondary.tsv')).toEqual({
    kind: 'question',
    question: { kind: 'metric', names: ['ndcg@10', 'map@100'] },
  });
  expect(tableOf(read('19-secondary.tsv', { metric: 'NDCG@10' }))).toMatchObject({
    ...{ metric: 'ndcg@10', goal: 'maximize', numbers: [0.443, 0.466] },
  });
});

test.each([
  ['KEEP', 'keep'],
  ['**kept** (best)', 'keep'],
  ['✅ keep', 'keep'],
  ['Reverted', 'discard'],
  ['rolled back', 'discard'],
  ['OOM', 'crash'],
  ['timed-out', 'crash'],
  ['not kept', 'discard'],
  ['keep?', 'other'],
  ['discard (crash)', 'other'],
  ['pending', 'other'],
])('the word %j is a %s', (word, verdict) => {
  const rows = table('val_bpb|status', '1|keep', `0.9|${word}`);
  expect(tableOf(interpret('a.tsv', rows)).rows[1]?.verdict).toBe(verdict);
});

test.each([
  ['1,250.5', 1250.5],
  ['+1.5', 1.5],
  ['−1.5', -1.5],
  ['~1.5', 1.5],
  ['1.5 ± 0.01', 1.5],
  ['**1.5**', 1.5],
  ['1.5 (best)', 1.5],
  ['1.5e-3', 0.0015],
  ['n/a', null],
  ['—', null],
  ['timeout', null],
])('%j is read as %d', (field, number) => {
  expect(tableOf(interpret('a.tsv', table('val_bpb|status', '2|keep', `${field}|discard`))).numbers[1]).toBe(
    number,
  );
});

test.each(['0,998', '3/5', 'v2', '0.9 or 1', '12ms'])(
  '%j is no number to rely on, so its row is skipped',
  field => {
    const found = tableOf(interpret('a.tsv', table('val_bpb|status', '2|keep', `${field}|discard`)));
    expect(found).toMatchObject({ numbers: [2], skipped: [3] });
  },
);

test('numbers of one unit are read, those of another are not', () => {
  const found = tableOf(
    interpret('a.tsv', table('latency|status', '12ms|keep', '11ms|keep', '1.2s|discard', '0|crash')),
  );
  expect(found).toMatchObject({ goal: 'minimize', numbers: [12, 11, null], skipped: [4] });
});

test('a table of Markdown, one with semicolons and one in a comment are tables', () => {
  const rows = [
    [
      'a.md',
      '# Results\n\n| commit | val_bpb | status | idea |\n|---|---:|---|---|\n| a1b2c3d | 0.99 | keep | wide |\n',
    ],
    ['a.csv', 'commit;val_bpb;status;idea\na1b2c3d;0.99;keep;wide\n'],
    ['a.tsv', '# commit\tval_bpb\tstatus\tidea\na1b2c3d\t0.99\tkeep\twide\n'],
  ] as const;
  for (const [name, text] of rows) {
    expect(tableOf(interpret(name, text)).rows).toMatchObject([
      { commit: 'a1b2c3d', metric: 0.99, verdict: 'keep', hypothesis: 'wide' },
    ]);
  }
});

test('a heading further down gives the columns of the rows below it', () => {
  const found = tableOf(
    interpret(
      'a.tsv',
      table(
        'commit|val_bpb|status',
        'a1b2c3d|0.99|keep',
        'commit|memory_gb|val_bpb|status',
        'b1b2c3d|44|0.98|keep',
      ),
    ),
  );
  expect(found.numbers).toEqual([0.99, 0.98]);
  expect(found.rows.map(row => row.memory)).toEqual([null, 44 * 1024]);
});

test('a quote that is not closed costs its row and no more', () => {
  const found = tableOf(
    interpret(
      'a.csv',
      'val_bpb,status,description\n1,keep,"a, b"\n2,discard,"open\n0.9,keep,"two\nlines"\n0.8,keep,c\n',
    ),
  );
  expect(found.numbers).toEqual([1, 0.9, 0.8]);
  expect(found.skipped).toEqual([3]);
  expect(found.rows.map(row => row.hypothesis)).toEqual(['a, b', 'two\nlines', 'c']);
});

test('a row whose verdict is also a heading somewhere is a row', () => {
  const found = tableOf(
    interpret('a.tsv', table('iteration|val_loss|result|description', '1|2|keep|a', 'tri|-|keep|b')),
  );
  expect(found).toMatchObject({ verdicts: ['keep', 'keep'], numbers: [2, null] });
});

test('a million characters without an end to them are read in no time', () => {
  const long = 'a '.repeat(500_000);
  const started = cpuMs();
  expect(() => interpret('a.tsv', long)).toThrow(/not the header/);
  expect(() => interpret('a.tsv', `${'"'.repeat(1_000_000)}\n`)).toThrow(/not the header/);
  interpret('a.tsv', table('val_bpb|status|description', `1|keep|${long}`, `${'1'.repeat(500_000)}|keep|x`));
  interpret('a.csv', `val_bpb,status,description\n1,keep,"${'""'.repeat(200_000)}\n`);
  expect(cpuMs() - started).toBeLessThan(5_000);
});

test('headings that go on adding columns fill a table up to its bound, in no time that grows with them', () => {
  const headings = [...Array(14_000).keys()].map(index => `status\ta${index}\nkeep\t1\n`).join('');
  const table = readTable(Buffer.from(headings), 'wide.tsv', null);
  expect(table.columns).toHaveLength(256);
  expect(table.rows).toHaveLength(14_000);
  expect(table.rows.every(({ fields }) => fields.length === 256)).toBe(true);
  expect(table.skipped).toEqual([
    { line: 511, reason: 'has columns beyond the first 256; they were not read.' },
  ]);
});

test('a table of more fields than anybody’s results have is refused', () => {
  const names = [...Array(255).keys()].map(index => `a${index}`).join('\t');
  const delimited = `status\t${names}\nstatus\ta0\n${'keep\t1\n'.repeat(20_000)}`;
  const first = Object.fromEntries([...Array(256).keys()].map(index => [`a${index}`, 1]));
  const json = `${JSON.stringify(first)}\n${'{"a0":1}\n'.repeat(20_000)}`;
  for (const text of [delimited, json]) {
    expect(() => readTable(Buffer.from(text), 'wide', null)).toThrow(/more than 5000000 fields/);
  }
});

test('a line of JSON that is nested without end is left out', () => {
  const deep = `{"status":"keep","score":3,"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  const nested = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  const rows = [1, 2].map(score => JSON.stringify({ status: 'keep', score }));
  const table = tableOf(interpret('a.jsonl', [...rows, deep, nested].join('\n'), { goal: 'maximize' }));
  expect(table).toMatchObject({ numbers: [1, 2], skipped: [3, 4] });
});

test('numbers that Python’s JSON writes and JSON does not have are rows without a number', () => {
  const rows = [
    '{"val_bpb": 1.0, "status": "keep", "note": "start"}',
    '{"val_bpb": NaN, "status": "crash", "note": "lr 1: NaN, \\"stopped\\"", "grad": -Infinity}',
    '{"metrics": {"loss": Infinity}, "val_bpb": 0.9, "status": "keep"}',
  ];
  for (const text of [rows.join('\n'), `[${rows.join(', ')}]`]) {
    const found = tableOf(interpret('a.jsonl', text));
    expect(found).toMatchObject({
      verdicts: ['keep', 'crash', 'keep'],
      numbers: [1, null, 0.9],
      skipped: [],
    });
  }
});

test('the runs that MLflow exports as a table have their names, and infinity is no number', () => {
  const runs = table(
    'run_id,experiment_id,status,artifact_uri,start_time,metrics.val_loss,params.lr,tags.mlflow.runName,tags.mlflow.source.git.commit',
    '38613,1,FAILED,/a,2026-11-30 02:08:29.218+00:00,1.5,0.1,raises,8a002220bf806ff97b7e81953965602697a369b4',
    '2405f,1,FINISHED,/a,2026-11-30 02:08:23.951+00:00,1.7976931348623157e+308,0.2,diverged,',
    '134d6,1,FINISHED,/a,2026-11-30 02:08:23.769+00:00,1.6,0.3,plain,',
  );
  const { rows, numbers } = tableOf(interpret('runs.csv', runs));
  expect(numbers).toEqual([null, null, 1.6]);
  expect(rows.map(({ hypothesis }) => hypothesis)).toEqual(['raises', 'diverged', 'plain']);
  expect(rows[0]?.commit).toBe('8a002220bf806ff97b7e81953965602697a369b4');
});

test('the trials that Ax summarizes as a table have their names, and a failed one is a crash', () => {
  // As `client.summarize().to_csv()` of Ax 1.3.1 wrote it.
  const rows = [
    'trial_index,arm_name,trial_status,generation_node,val_bpb,lr',
    '0,0_0,COMPLETED,CenterOfSearchSpace,1.0031622776601683,0.0031622776601683794',
    '1,1_0,COMPLETED,Sobol,1.000764644340786,0.0007646443407859594',
    '3,3_0,FAILED,Sobol,,0.09140304299756712',
  ];
  const found = tableOf(interpret('summary.csv', `${rows.join('\n')}\n`));
  expect(found).toMatchObject({ metric: 'val_bpb', verdicts: ['COMPLETED', 'COMPLETED', 'crash'] });
  expect(found.numbers).toEqual([1.0031622776601683, 1.000764644340786, null]);
  expect(found.rows.map(({ hypothesis }) => hypothesis)).toEqual(['0_0', '1_0', '3_0']);
});
