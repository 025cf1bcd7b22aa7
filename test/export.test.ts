import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { eventsOf, pawl, sitting } from './support/pawl.ts';
import { readResultsTable } from './support/repositories.ts';
import { FAST_TRAINER, fastRepository, git, temporaryFolder, writeFiles } from './support/scaffold.ts';
import { tableDesk } from './support/table-desk.ts';
import { parseCsv, UPSTREAM } from './support/tables.ts';

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
