import { expect, test } from 'vitest';
import { interpret, table, tableOf } from './support/interpreted.ts';

test.each([
  [
    'a metric of any name whose keeps rise',
    ['metric|status', '10|keep', '12|keep', '11|discard'],
    'maximize',
    'keeps',
  ],
  ['words behind the heading', ['quux (lower is better)|status', '10|keep', '12|keep'], 'minimize', 'file'],
  ['an arrow behind the heading', ['quux ↑|status', '10|keep'], 'maximize', 'file'],
  ['a comment that minimizes', ['# goal: minimize', 'metric|status', '10|keep'], 'minimize', 'file'],
  ['a rate', ['samples_per_second|status', '10|keep'], 'maximize', 'name'],
] as const)('the direction is told from %s', (_, rows, goal, goalFrom) => {
  expect(tableOf(interpret('a.tsv', table(...rows)))).toMatchObject({ goal, goalFrom });
});

test.each([
  ['only the baseline was kept', ['metric|status', '10|keep', '12|discard']],
  ['keeps go up and down', ['metric|status', '10|keep', '12|keep', '9|keep', '13|keep', '8|keep']],
  [
    'the name says one thing and the rows another',
    ['score|status', '9|keep', '8|keep', '7|keep', '9|discard', '6|keep'],
  ],
  [
    'two comments disagree',
    ['# lower is better', '# higher is better', 'metric|status', '10|keep', '12|discard'],
  ],
])('the direction is asked where %s', (_, rows) => {
  expect(interpret('a.tsv', table(...rows))).toMatchObject({ kind: 'question', question: { kind: 'goal' } });
  expect(tableOf(interpret('a.tsv', table(...rows), { goal: 'maximize' })).goalFrom).toBe('given');
});

test.each([
  [
    'a counter, a date, a name and a seed',
    ['iter|date|commit|val_loss|seed|status', '1|2026-03-01|1234567|2.5|42|keep'],
  ],
  [
    'what a run took',
    ['commit|memory_gb|training_seconds|num_params|val_loss|status', 'a1b2|44.0|300.1|50.3|2.5|keep'],
  ],
  [
    'what it was compared with',
    ['commit|baseline_loss|val_loss|delta|p_value|status', 'a1b2|2.6|2.5|-0.1|0.03|keep'],
  ],
  ['the loss of the training', ['commit|train_loss|val_loss|status', 'a1b2|2.1|2.5|keep']],
  ['a number that never changes', ['a_loss|val_loss|status', '3|2.5|keep', '3|2.4|keep', '3|2.6|discard']],
  ['a number that a kept row lacks', ['b_loss|val_loss|status', '3|2.7|discard', '-|2.5|keep']],
])('%s is not taken for the metric', (_, rows) => {
  expect(tableOf(interpret('a.tsv', table(...rows))).metric).toBe('val_loss');
});

const config = (metricName: string, bestDirection: string) =>
  JSON.stringify({ type: 'config', metricName, bestDirection });
const run = (metric: number, status = 'keep') => JSON.stringify({ run: 1, metric, status, description: 'x' });

test('of a log that measured two metrics one after the other it is asked which one is meant', () => {
  const log = [config('total_µs', 'lower'), run(10), run(9), config('score', 'higher'), run(1), run(2)].join(
    '\n',
  );
  expect(interpret('a.jsonl', log)).toEqual({
    kind: 'question',
    question: { kind: 'metric', names: ['total_µs', 'score'] },
  });
  expect(tableOf(interpret('a.jsonl', log, { metric: 'score' }))).toMatchObject({
    ...{ metric: 'score', goal: 'maximize', numbers: [1, 2], skipped: [2, 3] },
  });
});

test('what a file says of its metric is not believed of another one that is asked for', () => {
  const rows = [1, 2].map(n =>
    JSON.stringify({ run: n, metric: n, metrics: { accuracy: n / 10, quux: n }, status: 'keep' }),
  );
  const log = [config('total_µs', 'lower'), ...rows].join('\n');
  expect(tableOf(interpret('a.jsonl', log, { metric: 'metrics.accuracy' }))).toMatchObject({
    ...{ metric: 'metrics.accuracy', goal: 'maximize', goalFrom: 'name' },
  });
  expect(tableOf(interpret('a.jsonl', log, { metric: 'metrics.quux' })).goalFrom).toBe('keeps');
  const commented = table('# lower is better', 'metric|val_acc|status', '9|0.1|keep', '8|0.2|keep');
  expect(tableOf(interpret('a.tsv', commented, { metric: 'val_acc' })).goal).toBe('maximize');
});

test('two segments of one metric are one study', () => {
  const log = [
    config('total_µs', 'lower'),
    run(10),
    '{"type":"hook"}',
    'broken',
    config('total_µs', 'lower'),
    run(9),
  ].join('\n');
  expect(tableOf(interpret('a.jsonl', log))).toMatchObject({
    ...{ metric: 'total_µs', goal: 'minimize', numbers: [10, 9], skipped: [4] },
  });
});

test('a score is a cost where many rows say so, of which as many were discarded', () => {
  const kept = [980, 870, 700, 640, 500, 420, 390];
  const rows = kept.flatMap(value => [`${value}|keep`, `${value + 40}|discard`]);
  expect(tableOf(interpret('a.tsv', table('score|status', ...rows)))).toMatchObject({
    ...{ metric: 'score', goal: 'minimize', goalFrom: 'keeps' },
  });
  // With the newest row first the keeps fall where more is better; no row was discarded that could tell.
  expect(interpret('a.tsv', table('score|status', ...kept.map(value => `${value}|keep`)))).toMatchObject({
    question: { kind: 'goal' },
  });
  // Nobody means anything else by an accuracy.
  expect(interpret('a.tsv', table('accuracy|status', ...rows))).toMatchObject({ question: { kind: 'goal' } });
});

test('of several numbers the only one whose name tells a direction is the metric where it fits the rows best', () => {
  const rows = [
    ...['0.50|0.49|keep', '0.58|0.47|keep', '0.54|0.51|discard', '0.51|0.40|discard', '0.60|0.55|keep'],
    ...['0.55|0.61|discard', '0.57|0.45|keep', '0.66|0.41|keep', '0.62|0.70|discard', '0.64|0.30|discard'],
    ...['0.70|0.55|keep', '0.61|0.58|discard', '0.63|0.31|discard'],
  ];
  expect(tableOf(interpret('a.tsv', table('win_rate|draw_rate|status', ...rows)))).toMatchObject({
    ...{ metric: 'win_rate', goal: 'maximize' },
  });
  expect(interpret('a.tsv', table('win_rate|loss|status', ...rows))).toMatchObject({
    question: { kind: 'metric', names: ['win_rate', 'loss'] },
  });
  // What fits better than it may have decided.
  const turned = rows.map(row => row.replace(/^(.*?)\|(.*?)\|/, '$2|$1|'));
  expect(interpret('a.tsv', table('win_rate|draws|status', ...turned))).toMatchObject({
    question: { kind: 'metric' },
  });
});

test('a mean of scores is the score that counts, and how a check ended is none', () => {
  const rows = ['0.5|0.4|0.6|0|keep', '0.6|0.7|0.5|1|discard'];
  const found = interpret('a.tsv', table('mean_score|north|south|test_exit|status', ...rows));
  expect(tableOf(found)).toMatchObject({ metric: 'mean_score', goal: 'maximize' });
  expect(interpret('a.tsv', table('a|b|c|test_exit|status', ...rows))).toMatchObject({
    question: { kind: 'metric', names: ['a', 'b', 'c'] },
  });
});

test('results of a sweep that nobody judged are rows without a verdict', () => {
  const rows = [0.3, 0.2].map(val_loss =>
    JSON.stringify({ lr: 0.1, metrics: { val_loss, train_loss: 0.1 } }),
  );
  expect(tableOf(interpret('a.jsonl', rows.join('\n')))).toMatchObject({
    ...{ metric: 'metrics.val_loss', goal: 'minimize', verdicts: ['none', 'none'], numbers: [0.3, 0.2] },
  });
});

test('of several numbers the one that agrees with what was kept, again and again, is the metric', () => {
  const rows = [...Array(14).keys()].map(n => `${100 + n}|${n % 2 ? 3 : 5}|${n % 4 < 2 ? 8 : 9}|keep`);
  const found = interpret('a.tsv', table('quux|grault|corge|status', ...rows));
  expect(tableOf(found)).toMatchObject({ metric: 'quux', goal: 'maximize', goalFrom: 'keeps' });
  expect(found).toMatchObject({ table: { isProven: true } });
  expect(interpret('a.tsv', table('quux|grault|corge|status', ...rows.slice(0, 8)))).toMatchObject({
    question: { kind: 'metric' },
  });
});

test.each([
  [
    'settings in an object of their own',
    { params: { fast: 3 }, fitness_after: 2, kept: true },
    'fitness_after',
  ],
  [
    'the least and the most of a mean',
    { min_reward: 1, max_reward: 3, mean_reward: 2, kept: true },
    'mean_reward',
  ],
  ['what it was before', { quux_before: 1, quux_after: 2, kept: true }, 'quux_after'],
])('%s is not taken for the metric', (_, row, metric) => {
  const other = JSON.parse(JSON.stringify(row).replaceAll(/\d/g, digit => String(Number(digit) + 1)));
  expect(tableOf(interpret('a.jsonl', `${JSON.stringify(row)}\n${JSON.stringify(other)}\n`)).metric).toBe(
    metric,
  );
});

test('a metric that is named in each row has its name and direction from there', () => {
  const rows = [0.9, 0.8].map(metric =>
    JSON.stringify({ metric, metricName: 'quux', direction: 'higher', status: 'keep' }),
  );
  expect(tableOf(interpret('a.jsonl', rows.join('\n')))).toMatchObject({
    ...{ metric: 'quux', goal: 'maximize', goalFrom: 'file', numbers: [0.9, 0.8] },
  });
});

test('the times of Optuna’s trials, as pandas writes them into JSON, are no metric', () => {
  const trial = (number: number, value: number | null, state: string) =>
    JSON.stringify({
      ...{ number, value, datetime_start: 1796004774847 + number, datetime_complete: 1796004775320 + number },
      ...{ duration: 473 + number, params_x: 0.5 / (1 + number), state },
    });
  const trials = [trial(0, 0.9, 'COMPLETE'), trial(1, null, 'FAIL'), trial(2, 0.4, 'COMPLETE')];
  const found = tableOf(interpret('trials.jsonl', trials.join('\n'), { goal: 'minimize' }));
  expect(found).toMatchObject({ metric: 'value', numbers: [0.9, null, 0.4] });
});
