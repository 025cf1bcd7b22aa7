import { expect, test } from 'vitest';
import { pawl, sitting } from './support/pawl.ts';
import { tableDesk } from './support/table-desk.ts';
import { parseCsv, UPSTREAM } from './support/tables.ts';

// Tables seen in the wild

type Variant = {
  title: string;
  table: string;
  verdicts: readonly string[];
  metrics: readonly (number | null)[];
  commits: readonly (string | null)[];
  hypotheses: readonly string[];
  best: number;
};

const VARIANTS: readonly Variant[] = [
  {
    title: "upstream's own form",
    table: UPSTREAM,
    verdicts: ['keep', 'keep', 'discard', 'crash'],
    metrics: [0.9979, 0.9932, 1.005, null],
    commits: ['a1b2c3d', 'b2c3d4e', 'c3d4e5f', 'd4e5f6a'],
    hypotheses: ['baseline', 'increase LR to 0.04', 'switch to GeLU activation', 'double model width (OOM)'],
    best: 0.9932,
  },
  {
    title: 'the word baseline for the first commit',
    table: UPSTREAM.replace('a1b2c3d', 'baseline'),
    verdicts: ['keep', 'keep', 'discard', 'crash'],
    metrics: [0.9979, 0.9932, 1.005, null],
    commits: [null, 'b2c3d4e', 'c3d4e5f', 'd4e5f6a'],
    hypotheses: ['baseline', 'increase LR to 0.04', 'switch to GeLU activation', 'double model width (OOM)'],
    best: 0.9932,
  },
  {
    title: 'an experiment_id and no commit',
    table:
      'experiment_id\tstatus\tval_bpb\tmemory_gb\tdescription\n' +
      'exp_000\tkeep\t0.9979\t44.0\tbaseline\nexp_001\tdiscard\t1.0012\t44.1\twider\nexp_002\tcrash\t0.0\t0.0\tboom\n',
    verdicts: ['keep', 'discard', 'crash'],
    metrics: [0.9979, 1.0012, null],
    commits: [null, null, null],
    hypotheses: ['baseline', 'wider', 'boom'],
    best: 0.9979,
  },
  {
    title: 'an iteration, a metric, a delta and the status baseline',
    table:
      'iteration\tcommit\tmetric\tdelta\tstatus\tdescription\n' +
      '0\t-\t85.2\t0.0\tbaseline\tinitial state\n1\tb2c3d4e\t87.1\t+1.9\tkeep\tmore cache\n2\t-\t86.5\t-0.6\tdiscard\tless cache\n' +
      '3\t-\t0\t0.0\tcrash\tno cache\n',
    verdicts: ['keep', 'keep', 'discard', 'crash'],
    metrics: [85.2, 87.1, 86.5, null],
    commits: [null, 'b2c3d4e', null, null],
    hypotheses: ['initial state', 'more cache', 'less cache', 'no cache'],
    best: 87.1,
  },
  {
    title: 'further columns hypothesis and axis',
    table:
      'commit\tval_bpb\tmemory_gb\tstatus\taxis\thypothesis\tdescription\n' +
      'a1b2c3d\t0.997900\t44.0\tkeep\tnone\tnone\tbaseline\nb2c3d4e\t0.990000\t44.0\tkeep\tlr\thigher is faster\tLR 0.04\n',
    verdicts: ['keep', 'keep'],
    metrics: [0.9979, 0.99],
    commits: ['a1b2c3d', 'b2c3d4e'],
    hypotheses: ['baseline', 'LR 0.04'],
    best: 0.99,
  },
  {
    title: 'a hypothesis and no description',
    table:
      'commit\tval_bpb\tstatus\thypothesis\na1b2c3d\t0.9979\tkeep\tas it is\nb2c3d4e\t1.2\tdiscard\tworse\n',
    verdicts: ['keep', 'discard'],
    metrics: [0.9979, 1.2],
    commits: ['a1b2c3d', 'b2c3d4e'],
    hypotheses: ['as it is', 'worse'],
    best: 0.9979,
  },
  {
    title: 'statuses in capitals and checks_failed',
    table:
      'commit\tval_bpb\tmemory_gb\tstatus\tdescription\n' +
      'a1b2c3d\t0.997900\t44.0\tKEEP\tbaseline\nb2c3d4e\t0.500000\t44.0\tchecks_failed\tcheated\n' +
      'c3d4e5f\t1.000000\t44.0\tDISCARD\tworse\nd4e5f6a\t0.000000\t0.0\tCRASH\tboom\n',
    verdicts: ['keep', 'crash', 'discard', 'crash'],
    metrics: [0.9979, 0.5, 1, null],
    commits: ['a1b2c3d', 'b2c3d4e', 'c3d4e5f', 'd4e5f6a'],
    hypotheses: ['baseline', 'cheated', 'worse', 'boom'],
    best: 0.9979,
  },
  {
    title: 'another metric in a column of its own name',
    table:
      'commit\tlatency_ms\tstatus\tdescription\na1b2c3d\t1,250.5\tkeep\tbaseline\nb2c3d4e\tn/a\tcrash\tboom\n',
    verdicts: ['keep', 'crash'],
    metrics: [1250.5, null],
    commits: ['a1b2c3d', 'b2c3d4e'],
    hypotheses: ['baseline', 'boom'],
    best: 1250.5,
  },
  {
    title: 'tabs in the description',
    table: UPSTREAM.replace('increase LR to 0.04', 'increase\tLR\tto 0.04'),
    verdicts: ['keep', 'keep', 'discard', 'crash'],
    metrics: [0.9979, 0.9932, 1.005, null],
    commits: ['a1b2c3d', 'b2c3d4e', 'c3d4e5f', 'd4e5f6a'],
    hypotheses: ['baseline', 'increase LR to 0.04', 'switch to GeLU activation', 'double model width (OOM)'],
    best: 0.9932,
  },
];

test.each(VARIANTS)('a table with $title is read, and written again byte for byte', async variant => {
  const desk = await tableDesk();
  const imported = await desk.import('first.tsv', variant.table);
  expect(`${imported.code} ${imported.stderr}`).toBe('0 ');
  const rows = await desk.rows('first');
  expect(rows.map(row => row.verdict)).toEqual(variant.verdicts);
  expect(rows.map(row => row.metric)).toEqual(variant.metrics);
  expect(rows.map(row => row.commit)).toEqual(variant.commits);
  expect(rows.map(row => row.hypothesis)).toEqual(variant.hypotheses);
  expect(rows.at(-1)?.best).toBe(variant.best);
  expect(await desk.export('first')).toBe(variant.table);
});

test.each([
  ['CRLF lines', UPSTREAM.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\uFEFF${UPSTREAM}`],
  ['no final newline', UPSTREAM.trimEnd()],
  ['empty lines at the end', `${UPSTREAM}\n\n`],
])('a table with %s says the same as one without', async (_, table) => {
  const desk = await tableDesk();
  await desk.import('plain.tsv', UPSTREAM);
  await desk.import('odd.tsv', table);
  expect(await desk.rows('odd')).toEqual(await desk.rows('plain'));
  const exported = await desk.export('odd');
  expect(exported).toBe(UPSTREAM);
  await desk.import('again.tsv', exported);
  expect(await desk.export('again')).toBe(exported);
});

test.each([
  [
    'spaces around the heading and the fields',
    'commit\t val_bpb \tstatus\tdescription\na1b2c3d\t 0.9979\t keep\t base \n',
  ],
  ['two columns of one name', 'commit\tval_bpb\tstatus\tnote\tnote\na1b2c3d\t0.9979\tkeep\tone\ttwo\n'],
  [
    'a column called __proto__',
    'commit\tval_bpb\tstatus\t__proto__\tdescription\na1b2c3d\t0.9979\tkeep\tx\tbase\n',
  ],
  [
    'quotes and backslashes',
    'commit\tval_bpb\tstatus\tdescription\na1b2c3d\t0.9979\tkeep\t"a" \\t \\n \'b\' 🧪\n',
  ],
  [
    'numbers with more digits than a double',
    'commit\tval_bpb\tstatus\tdescription\na1b2c3d\t0.99790000000000000000001\tkeep\tbase\n',
  ],
])('a table with %s is exported as it was read', async (_, table) => {
  const desk = await tableDesk();
  const { code, stderr } = await desk.import('odd.tsv', table);
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(await desk.export('odd')).toBe(table);
});

test('the goal is told from the kept rows, or given', async () => {
  const desk = await tableDesk();
  const rising = 'commit\tmetric\tstatus\tdescription\na1b2c3d\t10\tkeep\tbase\nb2c3d4e\t12\tkeep\tmore\n';
  expect((await desk.import('rising.tsv', rising)).stdout).toMatch(/best 12\.000000 in #1/);
  expect((await desk.import('forced.tsv', rising, '--goal', 'minimize')).stdout).toMatch(
    /best 10\.000000 in #0/,
  );
});

/** A table of the published shape: 126 rows, 23 keep, 102 discard, 1 crash, 0.997900 to 0.969686. */
function publishedShape(): { table: string; runningMinimum: readonly number[] } {
  const lines = ['commit\tval_bpb\tmemory_gb\tstatus\tdescription'];
  const runningMinimum: number[] = [];
  let best = 0.9979;
  let keeps = 0;
  for (let row = 0; row < 126; row += 1) {
    const commit = (0xa000000 + row * 7919).toString(16).slice(0, 7);
    if (row === 77) {
      lines.push(`${commit}\t0.000000\t0.0\tcrash\tinvented idea ${row} that ran out of memory`);
    } else if (row === 0 || (row % 5 === 1 && keeps < 23)) {
      keeps += 1;
      best = keeps === 23 ? 0.969686 : Number((0.9979 - 0.0012 * (keeps - 1)).toFixed(6));
      lines.push(
        `${commit}\t${best.toFixed(6)}\t44.${row % 10}\tkeep\t${row === 0 ? 'baseline' : `invented gain ${row}`}`,
      );
    } else {
      lines.push(`${commit}\t${(best + 0.0001 * (row % 7)).toFixed(6)}\t45.1\tdiscard\tinvented idea ${row}`);
    }
    runningMinimum.push(best);
  }
  return { table: `${lines.join('\n')}\n`, runningMinimum };
}

test('a table of the published shape has its counts, its keep rate, its best and its running minimum', async () => {
  const { table, runningMinimum } = publishedShape();
  const desk = await tableDesk();
  const { stdout } = await desk.import('published.tsv', table);
  expect(stdout).toBe(
    'Imported 126 experiments as published: 23 keep, 102 discard, 1 crash, keep rate 18.4 %.\n' +
      'val_bpb: baseline 0.997900, best 0.969686 in #106\n',
  );
  expect(await desk.tally('published')).toEqual({
    finished: 126,
    keep: 23,
    discard: 102,
    crash: 1,
    baselineVerdict: null,
    keepRate: 23 / 125,
    baseline: 0.9979,
    best: 0.969686,
    bestExperiment: 106,
  });
  const rows = await desk.rows('published');
  expect(rows.map(row => row.best)).toEqual(runningMinimum);
  expect(rows[77]).toMatchObject({ verdict: 'crash', metric: null, memory: null });
  expect(rows[0]?.memory).toBe(44 * 1024);
  expect(await desk.export('published')).toBe(table);
});

// Rows that are not like the others

test.each([
  [
    'a word that is no known verdict',
    UPSTREAM.replace('\tdiscard\t', '\tmaybe\t'),
    ['keep', 'keep', 'other', 'crash'],
    'maybe',
  ],
  ['no verdict', UPSTREAM.replace('\tdiscard\t', '\t\t'), ['keep', 'keep', 'other', 'crash'], 'none'],
  [
    'a verdict that is a property of every object',
    UPSTREAM.replace('\tdiscard\t', '\tconstructor\t'),
    ['keep', 'keep', 'other', 'crash'],
    'constructor',
  ],
  [
    'a sentence for a verdict',
    UPSTREAM.replace('\tdiscard\t', '\tnobody could say whether this was any better\t'),
    ['keep', 'keep', 'other', 'crash'],
    'nobody could say whether this was any better',
  ],
])('a row with %s is kept under another word than the three', async (_, table, verdicts, word) => {
  const desk = await tableDesk();
  const { code, stdout } = await desk.import('odd.tsv', table);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      'Imported 4 experiments as odd: 2 keep, 0 discard, 1 crash, 1 other, keep rate 100.0 %.\n' +
      'val_bpb: baseline 0.997900, best 0.993200 in #1\n',
  });
  const rows = await desk.rows('odd');
  expect(rows.map(row => row.verdict)).toEqual(verdicts);
  expect(rows[2]).toMatchObject({ reason: word, metric: 1.005 });
  expect(await desk.tally('odd')).toMatchObject({ finished: 4, keep: 2, discard: 0, crash: 1, keepRate: 1 });
  expect(parseCsv(await desk.export('odd', 'csv'))[2]).toMatchObject({ verdict: 'other', reason: word });
  expect(await desk.export('odd')).toBe(table);
});

test('commas do for tabs', async () => {
  const desk = await tableDesk();
  await desk.import('tabs.tsv', UPSTREAM);
  expect((await desk.import('commas.csv', UPSTREAM.replaceAll('\t', ','))).code).toBe(0);
  expect(await desk.rows('commas')).toEqual(await desk.rows('tabs'));
});

// What is no table

test.each([
  [
    'rows of which none can be read',
    'commit\tval_bpb\tdescription\tstatus\na1b2c3d\t0.99\tone\ttwo\tkeep\n',
    /^pawl: bad\.tsv:2: 5 fields, but the header has 4\. No row can be read\.\n$/,
  ],
  [
    'no column for the metric',
    'commit\tstatus\tdescription\na1b2c3d\tkeep\tbase\n',
    /^pawl: bad\.tsv:1: no column holds the metric.*\n$/,
  ],
  [
    'prose',
    'These are my results.\nThey are good.\n',
    /^pawl: bad\.tsv:1: .*not the header of a results table.*\n$/,
  ],
  [
    'no heading',
    UPSTREAM.slice(UPSTREAM.indexOf('\n') + 1),
    /^pawl: bad\.tsv:1: .*not the header of a results table.*\n$/,
  ],
  ['nothing in it', '', /^pawl: bad\.tsv:1: .*not the header of a results table.*\n$/],
  [
    'bytes of a picture in it',
    Buffer.from('89504e470d0a1a0a0000000d49484452000000ff', 'hex'),
    /^pawl: bad\.tsv:1: not UTF-8 text.*\n$/,
  ],
  [
    'bytes that are not UTF-8',
    Buffer.from(UPSTREAM.replace('GeLU', 'caf\xe9'), 'latin1'),
    /^pawl: bad\.tsv.*UTF-8.*\n$/,
  ],
])('a file with %s is refused with file and line, and nothing is written', async (_, content, message) => {
  const desk = await tableDesk();
  const { code, stdout, stderr } = await desk.import('bad.tsv', content);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(desk.countStudies()).toBe(0);
});

test('an imported study can be looked at but not run', async () => {
  const desk = await tableDesk();
  await desk.import('results.tsv', UPSTREAM);
  const resumed = await sitting(['resume', '--tag', 'results', '-n', '9'], { home: desk.home });
  expect(resumed).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'pawl: results was imported and cannot be run.\n',
  });
  const shown = await pawl(['show', '1', '--tag', 'results'], { home: desk.home });
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain('increase LR to 0.04');
  for (const what of ['--diff', '--log']) {
    const nothing = await pawl(['show', '1', what, '--tag', 'results'], { home: desk.home });
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toMatch(/^pawl: Experiment 1 has no .*\n$/);
  }
  expect(await desk.export('results')).toBe(UPSTREAM);
});

test('the CSV of an imported study leaves the metric of a crash empty', async () => {
  const desk = await tableDesk();
  await desk.import('results.tsv', UPSTREAM);
  const rows = parseCsv(await desk.export('results', 'csv'));
  expect(rows.map(row => row.verdict)).toEqual(['keep', 'keep', 'discard', 'crash']);
  expect(rows.map(row => row.val_bpb && Number(row.val_bpb))).toEqual([0.9979, 0.9932, 1.005, '']);
});

test('what is exported of an imported study holds nothing that nobody wrote down', async () => {
  const desk = await tableDesk();
  await desk.import('results.tsv', UPSTREAM);
  const { study, experiments } = JSON.parse(await desk.export('results', 'json'));
  expect(Object.keys(study)).toEqual([
    ...['id', 'tag', 'state', 'createdAt', 'importedFrom', 'importColumns', 'contract'],
  ]);
  expect(study.contract).toEqual({ metric: { name: 'val_bpb', goal: 'minimize', memory: 'memory_mb' } });
  expect(experiments[1]).toMatchObject({ startedAt: null, endedAt: null, runs: [], parentCommit: null });
  const [row] = parseCsv(await desk.export('results', 'csv'));
  expect(row).toMatchObject({ started_at: '', ended_at: '', outcome: '', runs: '0' });
});
