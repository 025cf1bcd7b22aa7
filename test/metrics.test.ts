import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, MAX_LINE_CHARACTERS, stripControl } from '../src/engine/metrics/line-splitter.ts';
import { parseQuantity } from '../src/engine/metrics/number.ts';
import {
  FULL_RESOLUTION_POINTS,
  OutputReader,
  type SeriesPoint,
} from '../src/engine/metrics/output-reader.ts';
import { parseProgress } from '../src/engine/metrics/progress.ts';
import { packPoints, unpackPoints } from '../src/engine/store/series.ts';
import type { RunOutcome } from '../src/shared/study.ts';
import { cpuMs } from './support/clock.ts';

const UPSTREAM =
  'step 00420 (43.8%) | loss: 3.123456 | lrm: 1.00 | dt: 315ms | tok/sec: 1,664,406 | mfu: 39.8% | epoch: 1 | remaining: 168s    ';

function read(text: string | Buffer): { reader: OutputReader; points: SeriesPoint[] } {
  const points: SeriesPoint[] = [];
  const reader = new OutputReader(
    point => points.push(point),
    () => 1,
  );
  reader.push(Buffer.from(text));
  reader.end();
  return { reader, points };
}

const exit = (code: number): RunOutcome => ({ kind: 'exit', code });

test("upstream's progress line becomes named series with their units", () => {
  const point = parseProgress(UPSTREAM);
  expect(Object.fromEntries(point?.values ?? [])).toEqual({
    step: 420,
    progress: 43.8,
    loss: 3.123456,
    lrm: 1,
    dt: 315,
    'tok/sec': 1664406,
    mfu: 39.8,
    epoch: 1,
    remaining: 168,
  });
  expect(Object.fromEntries(point?.units ?? [])).toEqual({
    progress: '%',
    dt: 'ms',
    mfu: '%',
    remaining: 's',
  });
});

test.each([
  ['a: 1 | b: 2', { a: 1, b: 2 }],
  ['iter 7/100 | train loss=2.5 | lr = 3e-4', { iter: 7, 'train loss': 2.5, lr: 3e-4 }],
  ['step 3 | loss: nan | mfu: n/a', { step: 3, loss: Number.NaN }],
  ['loss: inf | gap: -inf', { loss: Number.POSITIVE_INFINITY, gap: Number.NEGATIVE_INFINITY }],
  ['step 12', { step: 12 }],
])('%s is read as progress', (line, values) => {
  expect(Object.fromEntries(parseProgress(line)?.values ?? [])).toEqual(values);
});

test.each(['val_bpb: 0.99', 'hello', '| --- | --- |', 'note: text | more: text', 'a | b | c', ''])(
  '"%s" is not progress',
  line => {
    expect(parseProgress(line)).toBeNull();
  },
);

test.each([
  ['1,664,406', 1664406, null],
  ['39.8%', 39.8, '%'],
  ['315ms', 315, 'ms'],
  ['  168s    FAIL', 168, 's'],
  ['-1.5e-3', -0.0015, null],
  ['45.2 GB', 45.2, 'GB'],
  ['.5', 0.5, null],
  ['NaN', Number.NaN, null],
  ['12:30', 750, 's'],
  ['-inf', Number.NEGATIVE_INFINITY, null],
])('the number "%s" is %d', (text, value, unit) => {
  expect(parseQuantity(text)).toEqual({ value, unit });
});

test.each(['n/a', '', 'abc', '1.2.3', '12:3', '3abc9', 'info', '0,997', '1,66', '1,6640'])(
  '"%s" is no number',
  text => {
    expect(parseQuantity(text)).toBeNull();
  },
);

test('no text makes the reading of a number slow', () => {
  const start = cpuMs();
  for (const text of [
    '1'.repeat(100_000),
    `${'1'.repeat(50_000)},`,
    `${'1,'.repeat(50_000)}x`,
    ' '.repeat(100_000),
  ]) {
    for (let round = 0; round < 100; round += 1) parseQuantity(text);
  }
  // Cubic behaviour would take minutes; this is a bound on the algorithm, not a timing.
  expect(cpuMs() - start).toBeLessThan(5_000);
});

test('every finite number that JavaScript prints is read back exactly', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
      // Zero is printed without its sign.
      expect(parseQuantity(String(value))?.value).toBe(value === 0 ? 0 : value);
    }),
  );
});

const SUMMARY =
  '---\nval_bpb:          0.997900\npeak_vram_mb:     45060.2\nmfu_percent:      n/a\ndepth:            8\n';

test('the summary block gives the result, and what is not a number is absent', () => {
  const { reader } = read(`${UPSTREAM}\n${SUMMARY}`);
  expect(reader.summary()).toEqual({ val_bpb: 0.9979, peak_vram_mb: 45060.2, depth: 8 });
});

test('of two summaries the last one counts, also for what it lacks', () => {
  const { reader } = read(`${SUMMARY}\n---\nval_bpb: 0.5\n`);
  expect(reader.summary()).toEqual({ val_bpb: 0.5 });
});

test('numbers printed before the summary are not the result', () => {
  expect(read('val_bpb: 0.1\n---\ndepth: 8\n').reader.summary()).toEqual({ depth: 8 });
});

test('without any block the last plain line of a name counts', () => {
  expect(read('val_bpb: 0.2\nfoo\nval_bpb: 0.1\n').reader.summary()).toEqual({ val_bpb: 0.1 });
});

test('METRIC lines count, and a rule of dashes alone does not hide them', () => {
  expect(read('METRIC ops=1,200\n---\ntable | of things\nMETRIC time=3.5 s\n').reader.summary()).toEqual({
    ops: 1200,
    time: 3.5,
  });
});

test('a metric that is taken back by n/a is absent', () => {
  expect(read('METRIC time=3\nMETRIC time=n/a\n').reader.summary()).toBeNull();
});

test('the last line counts even without a newline', () => {
  expect(read('---\nval_bpb: 0.25').reader.summary()).toEqual({ val_bpb: 0.25 });
});

test('a traceback behind a progress line is found and its last frames are kept', () => {
  const frames = [...Array(30).keys()]
    .map(index => `  File "train.py", line ${index}, in f${index}\n    f()`)
    .join('\n');
  const { reader } = read(
    `\r${UPSTREAM}Traceback (most recent call last):\n${frames}\nAssertionError: TOTAL_BATCH_SIZE does not divide\n`,
  );
  const crash = reader.classify(exit(1), 'val_bpb', 600);
  expect(crash).toMatchObject({
    class: 'exception',
    message: 'AssertionError: TOTAL_BATCH_SIZE does not divide',
  });
  expect(crash?.tail.at(-1)).toBe('AssertionError: TOTAL_BATCH_SIZE does not divide');
  expect(crash?.tail.join('\n')).toContain('in f29');
  expect(crash?.tail.length).toBeLessThan(20);
});

test('what is printed after a traceback neither names the crash nor takes its frames', () => {
  const noise = [...Array(60).keys()].map(index => `wandb: line ${index}`).join('\n');
  const { reader } = read(
    `Traceback (most recent call last):\n  File "train.py", line 9, in main\n    f()\nValueError: bad\n${noise}\n`,
  );
  const crash = reader.classify(exit(1), 'val_bpb', 600);
  expect(crash).toMatchObject({ class: 'exception', message: 'ValueError: bad' });
  expect(crash?.tail).toContain('  File "train.py", line 9, in main');
});

test('of chained exceptions the last one counts, and an earlier lack of memory is not its name', () => {
  const { reader } = read(
    'Traceback (most recent call last):\n  File "a.py", line 1, in a\ntorch.OutOfMemoryError: CUDA out of memory\n\n' +
      'During handling of the above exception, another exception occurred:\n\n' +
      'Traceback (most recent call last):\n  File "b.py", line 2, in b\nKeyError: 3\n',
  );
  expect(reader.classify(exit(1), 'val_bpb', 600)).toMatchObject({
    class: 'exception',
    message: 'KeyError: 3',
  });
});

test.each<[string, string, RunOutcome, string | null]>([
  ['a finite metric and exit 0', SUMMARY, exit(0), null],
  ['no metric', 'hello\n', exit(0), 'no_metric'],
  ['a metric that is not a number', '---\nval_bpb: nan\n', exit(0), 'diverged'],
  ['an infinite metric', '---\nval_bpb: inf\n', exit(0), 'diverged'],
  ["upstream's FAIL behind the progress line", `\r${UPSTREAM}FAIL\n`, exit(1), 'diverged'],
  ['a metric but exit 1', SUMMARY, exit(1), 'exception'],
  ['CUDA out of memory', 'torch.OutOfMemoryError: CUDA out of memory. Tried\n', exit(1), 'out_of_memory'],
  ['a signal', '', { kind: 'signal', signal: 11 }, 'killed'],
  ['an exit code of its own', 'oops\n', exit(3), 'exception'],
  ['the limit', SUMMARY, { kind: 'timeout' }, 'timeout'],
])('%s is told from the rest', (_, output, outcome, expected) => {
  expect(read(output).reader.classify(outcome, 'val_bpb', 600)?.class ?? null).toBe(expected);
});

test('lines are the same however the bytes are cut', () => {
  const text = 'a\rb\r\nmüll €\n\x1b[31mred\x1b[0m\nlast';
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 6 }), cuts => {
      const lines: string[] = [];
      const splitter = new LineSplitter(line => lines.push(line));
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      for (let index = 1; index < places.length; index += 1) {
        splitter.push(bytes.subarray(places[index - 1], places[index]));
      }
      splitter.end();
      expect(lines).toEqual(['a', 'b', '', 'müll €', 'red', 'last']);
    }),
  );
});

test('an endless line is cut and the next one is whole', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(line => lines.push(line));
  for (let index = 0; index < 100; index += 1) splitter.push(Buffer.alloc(10_000, 'x'));
  splitter.push(Buffer.from('\nval_bpb: 1\n'));
  expect(lines).toHaveLength(2);
  expect(lines[0]?.length).toBe(MAX_LINE_CHARACTERS);
  expect(lines[1]).toBe('val_bpb: 1');
});

test.each([
  ['\x1b]0;title\x07text', 'text'],
  ['\x1b]52;c;ZXZpbA==\x1b\\text', 'text'],
  ['\x1b[2J\x1b[Htext', 'text'],
  ['te\x08\x00xt\x7f', 'text'],
  ['\x9b31mtext', 'text'],
  ['\x1bPq data\x1b\\text', 'text'],
  ['tab\tstays', 'tab\tstays'],
])('control sequences are removed from %j', (text, clean) => {
  expect(stripControl(text)).toBe(clean);
});

test('no text keeps a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(stripControl(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
  );
});

test('a flood of progress is thinned, from end to end', () => {
  const count = FULL_RESOLUTION_POINTS * 10;
  const points: SeriesPoint[] = [];
  const reader = new OutputReader(
    point => points.push(point),
    () => 0,
  );
  for (let step = 0; step < count; step += 1) reader.push(Buffer.from(`step ${step} | loss: 1\r`));
  reader.end();
  expect(points.length).toBeGreaterThan(FULL_RESOLUTION_POINTS);
  expect(points.length).toBeLessThan(FULL_RESOLUTION_POINTS * 6);
  expect(points[0]?.values.get('step')).toBe(0);
  expect(points.at(-1)?.values.get('step')).toBeGreaterThan(count * 0.99);
});

test('more series than anybody measures are not kept', () => {
  const lines = [...Array(2000).keys()].map(index => `a${index}: 1 | b${index}: 2 | loss: 1`);
  const { points } = read(`loss: 1 | x: 2\n${lines.join('\n')}\n`);
  const names = new Set(points.flatMap(point => [...point.values.keys()]));
  expect(names.size).toBe(256);
  expect(points.at(-1)?.values.get('loss')).toBe(1);
});

test('while a flood is thinned, a line of another form is still read', () => {
  const { reader } = read(`${'step 1 | loss: 1\n'.repeat(90_001)}---\nval_bpb: 0.4 | best of 3\n`);
  expect(reader.summary()).toEqual({ val_bpb: 0.4 });
});

test('progress without bars is thinned as well', () => {
  expect(
    read([...Array(200_000).keys()].map(index => `step ${index}`).join('\n')).points.length,
  ).toBeLessThan(120_000);
});

test('series survive the ledger with every digit, gap and word for not-a-number', () => {
  const name = fc.constantFrom('loss', 'step', 'tok/sec', 'seconds', 'mfu');
  const value = fc.double().map(number => (Object.is(number, -0) ? 0 : number));
  const point = fc.record({
    seconds: fc.integer({ min: 0, max: 1e6 }).map(milliseconds => milliseconds / 1000),
    values: fc
      .dictionary(name, value, { noNullPrototype: true })
      .map(values => new Map(Object.entries(values))),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 20 }), points => {
      const back = unpackPoints(packPoints(points));
      expect(back.map(({ seconds }) => seconds)).toEqual(points.map(({ seconds }) => seconds));
      expect(back.map(({ values }) => new Map([...values].sort()))).toEqual(
        points.map(({ values }) => new Map([...values].sort())),
      );
    }),
  );
});
