import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { eventsOf, type PawlResult, pawl, sitting } from './support/pawl.ts';
import { readResultsTable } from './support/repositories.ts';
import { FAST_TRAINER, fastRepository, git, temporaryFolder, writeFiles } from './support/scaffold.ts';

type ResultRow = {
  experiment: number;
  verdict: string;
  metric: number | null;
  delta: number | null;
  best: number | null;
  memory: number | null;
  commit: string | null;
  hypothesis: string;
};

/** A data folder and what can be done in it with tables. */
async function tableDesk() {
  const home = await temporaryFolder();
  return {
    home,
    async import(name: string, content: string | Buffer, ...args: string[]): Promise<PawlResult> {
      await writeFile(join(home, name), content);
      return pawl(['import', join(home, name), ...args], { home });
    },
    async rows(tag: string): Promise<readonly ResultRow[]> {
      const { stdout } = await pawl(['results', '--tag', tag, '--format', 'json'], { home });
      return JSON.parse(stdout) as ResultRow[];
    },
    async tally(tag: string): Promise<Record<string, number | null>> {
      const { stdout } = await pawl(['status', '--tag', tag, '--json'], { home });
      return (JSON.parse(stdout) as { tally: Record<string, number | null> }).tally;
    },
    async export(tag: string, format = 'tsv'): Promise<string> {
      const { code, stdout } = await pawl(['export', '--tag', tag, '--format', format], { home });
      expect(code).toBe(0);
      return stdout;
    },
    countStudies(): number {
      if (!existsSync(join(home, 'pawl.sqlite'))) return 0;
      const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
      const { count } = database
        .prepare('SELECT (SELECT count(*) FROM study) + (SELECT count(*) FROM experiment) AS count')
        .get() as { count: number };
      database.close();
      return count;
    },
  };
}

// Tables seen in the wild

const UPSTREAM = `commit	val_bpb	memory_gb	status	description
a1b2c3d	0.997900	44.0	keep	baseline
b2c3d4e	0.993200	44.2	keep	increase LR to 0.04
c3d4e5f	1.005000	44.0	discard	switch to GeLU activation
d4e5f6a	0.000000	0.0	crash	double model width (OOM)
`;

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

// What is no table

test.each([
  [
    'an unknown status',
    UPSTREAM.replace('\tdiscard\t', '\tmaybe\t'),
    /^pawl: bad\.tsv:4: unknown status "maybe"\.\n$/,
  ],
  ['an empty status', UPSTREAM.replace('\tdiscard\t', '\t\t'), /^pawl: bad\.tsv:4: unknown status ""\.\n$/],
  [
    'a status that is a property of every object',
    UPSTREAM.replace('\tdiscard\t', '\tconstructor\t'),
    /^pawl: bad\.tsv:4: unknown status "constructor"\.\n$/,
  ],
  [
    'a missing column',
    UPSTREAM.replace('\tdiscard\tswitch to GeLU activation', '\tdiscard'),
    /^pawl: bad\.tsv:4: 4 fields where the heading has 5\.\n$/,
  ],
  [
    'a field too many',
    'commit\tval_bpb\tdescription\tstatus\na1b2c3d\t0.99\tone\ttwo\tkeep\n',
    /^pawl: bad\.tsv:2: .*\n$/,
  ],
  [
    'a metric that is no number',
    UPSTREAM.replace('1.005000', 'about 1'),
    /^pawl: bad\.tsv:4: "about 1" is not a number\.\n$/,
  ],
  ['an infinite metric', UPSTREAM.replace('1.005000', 'Infinity'), /^pawl: bad\.tsv:4: .*\n$/],
  [
    'no column for the metric',
    'commit\tstatus\tdescription\na1b2c3d\tkeep\tbase\n',
    /^pawl: bad\.tsv:1: no column holds the metric.*\n$/,
  ],
  [
    'commas for tabs',
    UPSTREAM.replaceAll('\t', ','),
    /^pawl: bad\.tsv:1: .*no tab-separated column "status"\.\n$/,
  ],
  [
    'prose',
    'These are my results.\nThey are good.\n',
    /^pawl: bad\.tsv:1: .*not the heading of a results table.*\n$/,
  ],
  [
    'no heading',
    UPSTREAM.slice(UPSTREAM.indexOf('\n') + 1),
    /^pawl: bad\.tsv:1: .*not the heading of a results table.*\n$/,
  ],
  ['nothing in it', '', /^pawl: bad\.tsv:1: .*not the heading of a results table.*\n$/],
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

test('an error in the last of many rows leaves nothing of the others', async () => {
  const desk = await tableDesk();
  const rows = [...Array(20_000).keys()].map(index => `a1b2c3d\t0.99\t44.0\tdiscard\tidea ${index}\n`);
  const table = UPSTREAM + rows.join('');
  const { code, stderr } = await desk.import('bad.tsv', `${table}a1b2c3d\t0.99\t44.0\tkept?\tlast\n`);
  expect(code).toBe(2);
  expect(stderr).toBe('pawl: bad.tsv:20006: unknown status "kept?".\n');
  expect(desk.countStudies()).toBe(0);
  const good = await desk.import('good.tsv', table);
  expect(good.stdout).toMatch(/^Imported 20004 experiments as good: 2 keep, 20001 discard, 1 crash/);
  expect(await desk.export('good')).toBe(table);
});

test('a file too large for a table is refused by its size', async () => {
  const desk = await tableDesk();
  const { code, stderr } = await desk.import('bad.tsv', Buffer.alloc(65 * 1024 * 1024, 'x'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/bad\.tsv has 68157440 bytes; a results table has less than 67108864\.\n$/);
});

test('a file that is not there, and a folder, are refused in one line', async () => {
  const desk = await tableDesk();
  for (const path of [join(desk.home, 'none.tsv'), desk.home]) {
    const { code, stdout, stderr } = await pawl(['import', path, '--tag', 'x'], { home: desk.home });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^pawl: .* cannot be read: .*\n$/);
  }
});

test('a control character in a table reaches the terminal as none', async () => {
  const desk = await tableDesk();
  await desk.import('odd.tsv', UPSTREAM.replace('GeLU', '\x1b]0;title\x07\x1b[31mGeLU'));
  const { stdout } = await pawl(['results', '--tag', 'odd'], { home: desk.home });
  expect(stdout).toContain('GeLU');
  expect(stdout).not.toMatch(/[\x1b\x07]/);
  const bad = await desk.import('bad.tsv', UPSTREAM.replace('discard', '\x1b[31mmaybe'));
  expect(bad.code).toBe(2);
  expect(bad.stderr).not.toContain('\x1b');
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

// Own studies

/** RFC 4180, strictly: CRLF between records, quotes doubled. Returns one object per record after the heading. */
function parseCsv(text: string): Record<string, string>[] {
  const records: string[][] = [];
  let record: string[] = [];
  let position = 0;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (position < text.length) {
    field.lastIndex = position;
    const match = field.exec(text);
    if (!match)
      throw new Error(`not RFC 4180 at ${position}: ${JSON.stringify(text.slice(position, position + 60))}`);
    position = field.lastIndex;
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      records.push(record);
      record = [];
    }
  }
  const [heading = [], ...rows] = records;
  return rows.map(row => {
    if (row.length !== heading.length)
      throw new Error(`a record of ${row.length} fields under ${heading.length}`);
    return Object.fromEntries(heading.map((name, index) => [name, row[index] ?? '']));
  });
}

type Turn = { readonly trainer: string; readonly answer: Readonly<Record<string, unknown>> };

/**
 * A study whose n-th experiment is `turns[n - 1]`. Before each it writes down the number of lines of results.tsv; it
 * has no mend for a crash.
 */
async function runTurns(turns: readonly Turn[]) {
  const home = await temporaryFolder();
  const folder = await temporaryFolder();
  const repository = await fastRepository();
  for (const [index, { trainer, answer }] of turns.entries()) {
    await writeFiles(folder, { [`${index + 1}.sh`]: trainer, [`${index + 1}.json`]: JSON.stringify(answer) });
  }
  const command = `request=$(cat)
case "$request" in *'"kind":"repair"'*) exit 1;; esac
echo >> "$TURNS/calls"
n=$(wc -l < "$TURNS/calls")
cat "$PAWL_HOME"/studies/*/results.tsv | wc -l >> "$TURNS/lines"
cp "$TURNS/$n.sh" train.sh
cat "$TURNS/$n.json"`;
  const result = await sitting(
    ['run', repository, '--tag', 'night', '-n', String(turns.length), '--command', command],
    { home, env: { TURNS: folder } },
  );
  expect(`${result.code} ${result.stderr}`).toBe('0 ');
  const read = async (...args: string[]) => {
    const { code, stdout, stderr } = await pawl([...args, '-C', repository], { home });
    expect(`${code} ${stderr}`).toBe('0 ');
    return stdout;
  };
  return { ...result, home, folder, repository, read };
}

const trainer = (rate: number) => FAST_TRAINER.replace('LR=2', `LR=${rate}`);
/** A hypothesis is a line: of white space one blank stays. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

const HYPOTHESES = [
  '=HYPERLINK("http://localhost","a, b")',
  'two\nlines, with "quotes"',
  '+1 and\ttabs\tin it',
  '-0.5',
  '@SUM(A1)',
  '  größer – 学習率 🧪  ',
] as const;

function hypothesisTurns(): readonly Turn[] {
  const rates = [8, 3, 7, 9, 5, 6];
  return HYPOTHESES.map((hypothesis, index) => ({
    trainer: trainer(rates[index] ?? 1),
    answer: {
      hypothesis,
      rationale: `because,\r\n"${index}"`,
      predicted_effect: -0.001 * index,
      category: index % 2 === 0 ? '=cmd' : null,
    },
  }));
}

test("results.tsv is upstream's form, current before each experiment, and the same from every command", async () => {
  const { home, folder, repository, events, read } = await runTurns([
    { trainer: trainer(8), answer: { hypothesis: 'Raise\tLR\nto 8' } },
    { trainer: `LR=1\nexit 7\n`, answer: { hypothesis: 'Break it' } },
    {
      trainer: trainer(3).replace('peak_vram_mb:     45060.2', ''),
      answer: { hypothesis: 'Forget the memory' },
    },
  ]);
  const commits = eventsOf(events, 'attempted').map(event => event.commit.slice(0, 7));
  const table = await readResultsTable(home);
  expect(table).toBe(
    [
      'commit\tval_bpb\tmemory_gb\tstatus\tdescription',
      `${commits[0]}\t1.064800\t44.0\tkeep\tBaseline: the code as it is`,
      `${commits[1]}\t1.004800\t44.0\tkeep\tRaise LR to 8`,
      `${commits[2]}\t0.000000\t0.0\tcrash\tBreak it`,
      `${commits[3]}\t1.054800\t0.0\tdiscard\tForget the memory`,
      '',
    ].join('\n'),
  );
  // A heading, and a line for each experiment before this one.
  expect((await readFile(join(folder, 'lines'), 'utf8')).trim().split(/\s+/)).toEqual(['2', '3', '4']);
  expect(await read('export', '--format', 'tsv')).toBe(table);
  expect(await read('results', '--format', 'tsv')).toBe(table);
  expect(await git(repository, 'rev-parse', 'refs/pawl/night/1')).toMatch(new RegExp(`^${commits[1]}`));

  await writeFile(join(home, 'copy.tsv'), table);
  await pawl(['import', join(home, 'copy.tsv')], { home });
  expect((await pawl(['export', '--tag', 'copy', '--format', 'tsv'], { home })).stdout).toBe(table);
});

test('results.tsv is mended at the next sitting when somebody wrote in it', async () => {
  const home = await temporaryFolder();
  const repository = await fastRepository();
  await sitting(['run', repository, '--tag', 'night', '-n', '1'], { home });
  const before = await readResultsTable(home);
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
  const { id } = database.prepare('SELECT id FROM study').get() as { id: string };
  database.close();
  await writeFile(join(home, 'studies', id, 'results.tsv'), 'gone');
  await sitting(['resume', repository, '-n', '2'], { home });
  const after = await readResultsTable(home);
  expect(after.startsWith(before)).toBe(true);
  expect(after.split('\n')).toHaveLength(5);
});

test('the CSV read back has every experiment, and no field a spreadsheet would run', async () => {
  const { events, read } = await runTurns(hypothesisTurns());
  const rows = parseCsv(await read('export', '--format', 'csv'));
  const verdicts = eventsOf(events, 'verdict');
  expect(rows.map(row => Number(row.experiment))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(rows.map(row => row.verdict)).toEqual(verdicts.map(event => event.verdict));
  expect(rows.map(row => Number(row.val_bpb))).toEqual(verdicts.map(event => event.metric));
  expect(rows.map(row => row.attempt_commit)).toEqual(verdicts.map(event => event.commit));
  expect(rows.slice(1).map(row => row.hypothesis)).toEqual([
    `'${HYPOTHESES[0]}`,
    oneLine(HYPOTHESES[1]),
    `'${oneLine(HYPOTHESES[2])}`,
    '-0.5',
    `'${HYPOTHESES[4]}`,
    HYPOTHESES[5].trim(),
  ]);
  expect(rows.slice(1).map(row => row.rationale)).toEqual(
    HYPOTHESES.map((_, index) => `because,\n"${index}"`),
  );
  expect(rows.map(row => row.category)).toEqual(['baseline', "'=cmd", '', "'=cmd", '', "'=cmd", '']);
  expect(Number(rows[1]?.delta)).toBeCloseTo(-0.06, 9);
  expect(Number(rows[3]?.predicted_effect)).toBe(-0.002);
  expect(await read('results', '--format', 'csv')).toBe(await read('export', '--format', 'csv'));
});

test('the JSON is one document with every experiment, and its series are what was printed', async () => {
  const { events, read, home, repository } = await runTurns(hypothesisTurns());
  const text = await read('export');
  const document = JSON.parse(text) as {
    pawl: number;
    study: { tag: string };
    experiments: {
      n: number;
      metric: number;
      proposal: { hypothesis: string };
      runs: { outcome: unknown; summary: unknown; series: Record<string, unknown>[] }[];
    }[];
  };
  expect(document).toMatchObject({ pawl: 1, study: { tag: 'night' } });
  expect(document.experiments.map(({ n, metric }) => [n, metric])).toEqual(
    eventsOf(events, 'verdict').map(({ n, metric }) => [n, metric]),
  );
  expect(document.experiments.slice(1).map(({ proposal }) => proposal.hypothesis)).toEqual(
    HYPOTHESES.map(oneLine),
  );
  const printed = { lrm: 1, dt: 315, 'tok/sec': 1_664_406, mfu: 39.8, epoch: 1 };
  for (const { runs } of document.experiments) {
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({
      outcome: { kind: 'exit', code: 0 },
      summary: { training_seconds: 300.1, peak_vram_mb: 45060.2 },
      series: [
        {
          seconds: expect.any(Number),
          values: { step: 1, progress: 50, loss: 3.123456, remaining: 168, ...printed },
        },
        {
          seconds: expect.any(Number),
          values: { step: 2, progress: 100, loss: 2.123456, remaining: 0, ...printed },
        },
      ],
    });
  }
  const output = join(home, 'study.json');
  await pawl(['export', '-C', repository, '-o', output], { home });
  expect(await readFile(output, 'utf8')).toBe(text);
});

test('series of any name, and values that are no JSON numbers, are exported', async () => {
  const odd = `LR=8
printf 'step 1 | constructor: 1.5 | __proto__: 2.5 | toString: 3.5 | loss: nan | grad: inf\\n'
printf 'step 2 | constructor: 1.25 | loss: 0.1 | grad: -inf\\n'
printf 'val_bpb: 1.0\\n'
`;
  const { read } = await runTurns([{ trainer: odd, answer: { hypothesis: 'Odd names' } }]);
  const document = JSON.parse(await read('export')) as {
    experiments: { runs: { series: Record<string, unknown>[] }[] }[];
  };
  const series = document.experiments[1]?.runs[0]?.series ?? [];
  expect(series.map(point => Object.entries(point.values as Record<string, unknown>))).toEqual([
    [
      ['step', 1],
      ['constructor', 1.5],
      ['__proto__', 2.5],
      ['toString', 3.5],
      ['loss', 'NaN'],
      ['grad', 'Infinity'],
    ],
    [
      ['step', 2],
      ['constructor', 1.25],
      ['loss', 0.1],
      ['grad', '-Infinity'],
    ],
  ]);
});

test('a series called seconds does not take the place of the time in the export', async () => {
  const odd = `LR=8\nprintf 'step 1 | seconds: 4321 | loss: 1.5\\n'\nprintf 'val_bpb: 1.0\\n'\n`;
  const { read } = await runTurns([{ trainer: odd, answer: { hypothesis: 'Odd names' } }]);
  const document = JSON.parse(await read('export')) as {
    experiments: { runs: { series: { seconds: number }[] }[] }[];
  };
  expect(document.experiments[1]?.runs[0]?.series[0]?.seconds).toBeLessThan(60);
});

test('an export to a file that cannot be written says so in one line', async () => {
  const desk = await tableDesk();
  await desk.import('results.tsv', UPSTREAM);
  const { code, stderr } = await pawl(['export', '--tag', 'results', '-o', '/nonexistent/folder/file'], {
    home: desk.home,
  });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^pawl: .*\/nonexistent\/folder\/file.*\n$/);
});
