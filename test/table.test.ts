import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisOf } from '../src/renderer/features/constants/constant-axis.ts';
import { itemsOf, nextSort, sortRows } from '../src/renderer/features/table/arrange-rows.ts';
import { findColumn, parseFilter } from '../src/renderer/features/table/filter-language.ts';
import { suggest } from '../src/renderer/features/table/filter-suggestions.ts';
import { keyAction, stepFrom } from '../src/renderer/features/table/grid-keys.ts';
import {
  type Column,
  columnsOf,
  type Row,
  sittingsOf,
} from '../src/renderer/features/table/table-columns.ts';
import { usualColumns } from '../src/renderer/features/table/table-layout.ts';
import { countRows, tableCsv, tableTsv } from '../src/renderer/features/table/table-text.ts';
import { readNumeral } from '../src/renderer/format/numeral.ts';
import type { Cell, Mark, StudyCard } from '../src/shared/notebook.ts';

const CARD = {
  contract: { metric: { name: 'val_bpb', goal: 'minimize', memory: 'peak_vram_mb' } },
} as StudyCard;

type Values = {
  readonly n: number;
  readonly word?: 'keep' | 'discard' | 'crash';
  readonly metric?: number | null;
  readonly hypothesis?: string;
  readonly tags?: readonly string[];
  readonly constants?: Readonly<Record<string, string>>;
  readonly summary?: readonly (readonly [string, number | string])[];
  readonly proposer?: string;
};

function row({ n, word = 'discard', metric = null, constants, ...rest }: Values): Row {
  const cell = {
    ...{ n, phase: 'recorded', hypothesis: rest.hypothesis ?? `Idea ${n}`, category: null },
    ...{ verdict: { word, reason: 'worse' }, metric, record: null, delta: null, tags: rest.tags ?? [] },
    crash: word === 'crash' ? 'CUDA out of memory' : null,
  };
  return {
    cell: cell as unknown as Cell,
    more: {
      ...{ n, summary: rest.summary ?? [], proposer: rest.proposer ?? null, model: null, costUsd: null },
      ...{ energyWh: null, peakRssBytes: null, runs: 1 },
    },
    constants: constants ? { names: Object.keys(constants), get: name => constants[name] ?? null } : null,
    ...{ gpuPercent: null, probability: n === 3 ? 0.8 : null, sitting: null },
  };
}

const ROWS = [
  row({ n: 1, word: 'keep', metric: 0.99, constants: { LR: '0.02', ACT: '"gelu"' } }),
  row({ n: 2, metric: 1.02, hypothesis: 'A longer warm-up', tags: ['later'], constants: { LR: '1e-3' } }),
  row({ n: 3, word: 'keep', metric: 0.96, constants: { LR: '0.04', ACT: '"relu"' }, proposer: 'search' }),
  row({ n: 4, word: 'crash', summary: [['lr', 7]] }),
];
const COLUMNS = columnsOf(CARD, ['lr', 'num_steps'], ['LR', 'ACT']);

function found(filter: string): readonly number[] {
  const parsed = parseFilter(filter, COLUMNS);
  if (parsed.kind === 'wrong') throw new Error(parsed.problem.message);
  return ROWS.filter(parsed.matches).map(({ cell }) => cell.n);
}

function problem(filter: string) {
  const parsed = parseFilter(filter, COLUMNS);
  return parsed.kind === 'wrong' ? parsed.problem : null;
}

describe('a filter', () => {
  test.each([
    ['', [1, 2, 3, 4]],
    ['val_bpb < 0.97', [3]],
    ['val_bpb<=.99', [1, 3]],
    ['VAL_BPB >= 0.99', [1, 2]],
    ['metric > 1', [2]],
    ['verdict = keep', [1, 3]],
    ['verdict != KEEP', [2, 4]],
    ['LR >= 0.01', [1, 3]],
    ['LR = 1e-3', [2]],
    ['LR = none', [4]],
    ['LR != none and verdict = keep', [1, 3]],
    ['ACT ~ relu', [3]],
    ['ACT !~ relu', [1, 2, 4]],
    ['P > 75%', [3]],
    ['n = #2', [2]],
    ['#4', [4]],
    ['warm', [2]],
    ['"longer warm-up"', [2]],
    ['later', [2]],
    ['cuda', [4]],
    ['search', [3]],
    ['verdict = keep val_bpb < 0.97', [3]],
    ['verdict = crash or val_bpb < 0.97', [3, 4]],
    ['not verdict = keep', [2, 4]],
    ['not (verdict = keep or verdict = crash)', [2]],
    ['verdict = keep or verdict = discard and LR < 0.01', [1, 2, 3]],
    ['(verdict = keep or verdict = discard) and LR < 0.01', [2]],
    ['hypothesis ~ "warm-up"', [2]],
  ])('%s', (filter, numbers) => {
    expect(found(filter)).toEqual(numbers);
  });

  test('a printed value that is called as a constant has another name', () => {
    expect(COLUMNS.map(({ id }) => id)).toEqual(expect.arrayContaining(['LR', 'summary.lr', 'num_steps']));
    expect(found('summary.lr = 7')).toEqual([4]);
  });

  test.each(['p', 'memory', ...columnsOf(CARD, [], []).map(({ id }) => id)])(
    'finds a metric called %s by a name of its own, also where memory has that name',
    name => {
      const named = (metric: string, memory: string) => {
        const card = { contract: { metric: { name: metric, goal: 'minimize', memory } } } as StudyCard;
        const columns = columnsOf(card, [name], [name]);
        const ids = columns.map(({ id }) => id.toLowerCase());
        expect(new Set(ids).size).toBe(ids.length);
        // All columns that are shown at first are there.
        for (const id of usualColumns(card, [])) expect(columns.map(own => own.id)).toContain(id);
        return columns;
      };
      expect(findColumn(named(name, 'peak'), 'metric')).toMatchObject({ label: name, isMetric: true });
      named('loss', name);
      named(name, name);
    },
  );

  test.each([
    ['val_bp < 1', 'There is no column “val_bp”. Did you mean val_bpb?', [0, 6]],
    ['wings = 2', 'There is no column “wings”.', [0, 5]],
    ['val_bpb <', 'Write a value after “<”.', [8, 9]],
    ['val_bpb < < 3', 'Write a value after “<”.', [10, 11]],
    ['val_bpb < low', '“low” is no number, and val_bpb is compared with numbers.', [10, 13]],
    ['verdict < keep', 'verdict holds words: compare them with = or !=, or look into them with ~.', [10, 14]],
    ['LR > "x"', '“x” is no number, and LR is compared with numbers.', [5, 8]],
    ['= 3', 'Write the name of a column before “=”.', [0, 1]],
    ['(verdict = keep', 'A bracket is not closed.', [0, 1]],
    ['verdict = keep)', '“)” closes no bracket.', [14, 15]],
    ['verdict = "keep', 'A quotation mark is not closed.', [10, 15]],
    ['verdict = keep and', 'Something is missing at the end.', [18, 18]],
    ['or verdict = keep', 'Something is missing before “or”.', [0, 2]],
    ['not', 'Something is missing at the end.', [3, 3]],
    ['verdict', 'Write what verdict is compared with, or "verdict" in quotation marks', [0, 7]],
    ['verdict = !', '“!” means nothing here.', [10, 11]],
  ] as const)('that is wrong says what and where: %s', (filter, message, [from, to]) => {
    expect(problem(filter)).toEqual({ message: expect.stringContaining(message), from, to });
  });

  test('of any text is read or refused, and a problem lies in the text', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom('verdict', 'LR', '<', '=', '(', ')', '"', 'and', 'or', 'not', '1', '!', 'é ', ' '),
        ),
        parts => {
          const text = parts.join(' ');
          const parsed = parseFilter(text, COLUMNS);
          if (parsed.kind === 'ok') ROWS.filter(parsed.matches);
          else {
            expect(parsed.problem.from).toBeLessThanOrEqual(parsed.problem.to);
            expect(parsed.problem.to).toBeLessThanOrEqual(text.length);
          }
        },
      ),
    );
  });
});

describe('what may be written next', () => {
  const words = (text: string) =>
    suggest(text, text.length, COLUMNS, ({ id }) => (id === 'verdict' ? ['keep', 'my own'] : [])).map(
      suggestion => suggestion.text,
    );

  test('are columns, operators that fit, values, and what joins', () => {
    expect(words('ver')).toEqual(['verdict']);
    expect(words('verdict ')).toEqual(['=', '!=', '~', '!~']);
    expect(words('LR ')).toContain('<=');
    expect(words('verdict = ')).toEqual(['keep', '"my own"', 'none']);
    expect(words('verdict = k')).toEqual(['keep']);
    expect(words('verdict = keep ')).toEqual(['and', 'or', 'not']);
    expect(words('verdict = keep and val')).toEqual(['val_bpb']);
    expect(words('wings = ')).toEqual([]);
  });

  test('replaces the word at the caret', () => {
    const [first] = suggest('verd = keep', 3, COLUMNS, () => []);
    expect(first).toMatchObject({ text: 'verdict', from: 0, to: 4 });
  });
});

describe('rows', () => {
  const numbers = (rows: readonly Row[]) => rows.map(({ cell }) => cell.n);

  test('are sorted by one key after the other; what has no value comes last either way', () => {
    const by = (...keys: readonly [string, boolean][]) =>
      numbers(
        sortRows(
          ROWS,
          keys.map(([id, isDown]) => ({ id, isDown })),
          COLUMNS,
        ),
      );
    expect(by(['val_bpb', false])).toEqual([3, 1, 2, 4]);
    expect(by(['val_bpb', true])).toEqual([2, 1, 3, 4]);
    expect(by(['LR', false])).toEqual([2, 1, 3, 4]);
    expect(by(['verdict', false], ['val_bpb', true])).toEqual([4, 2, 1, 3]);
    expect(by(['verdict', true], ['n', true])).toEqual([3, 1, 2, 4]);
    expect(by(['gone', false])).toEqual([1, 2, 3, 4]);
  });

  test('of many kinds are sorted as one after the other would be put in its place', () => {
    const value = fc.constantFrom(null, '0.5', '-3', '2**4', '1e-3', 'relu', 'GELU', '"tanh"');
    fc.assert(
      fc.property(fc.array(value), fc.boolean(), (texts, isDown) => {
        const rows = texts.map((text, n) => row({ n, constants: text === null ? {} : { LR: text } }));
        const sorted = sortRows(rows, [{ id: 'LR', isDown }], COLUMNS);
        const classOf = (own: Row) => {
          const number = readNumeral(own.constants?.get('LR') ?? '');
          return own.constants?.get('LR') == null ? 2 : (number === null) === isDown ? 0 : 1;
        };
        expect(sorted.map(classOf)).toEqual(sorted.map(classOf).toSorted((a, b) => a - b));
        const values = sorted.flatMap(own => readNumeral(own.constants?.get('LR') ?? '') ?? []);
        expect(values).toEqual(values.toSorted((a, b) => (isDown ? b - a : a - b)));
        expect(numbers(sorted).toSorted((a, b) => a - b)).toEqual(numbers(rows));
      }),
    );
  });

  test('stand under a heading for each value, and those of a closed one are left out', () => {
    const verdict = COLUMNS.find(({ id }) => id === 'verdict') as Column;
    const keys = (closed: readonly string[]) => itemsOf(ROWS, verdict, new Set(closed)).map(({ key }) => key);
    expect(keys([])).toEqual(['group crash', 'n4', 'group discard', 'n2', 'group keep', 'n1', 'n3']);
    expect(keys(['group keep'])).toEqual(['group crash', 'n4', 'group discard', 'n2', 'group keep']);
  });

  test('a heading sorts up, down and not at all; with others it is one more key', () => {
    const up = [{ id: 'n', isDown: false }];
    expect(nextSort([], 'n', false)).toEqual(up);
    expect(nextSort(up, 'n', false)).toEqual([{ id: 'n', isDown: true }]);
    expect(nextSort([{ id: 'n', isDown: true }], 'n', false)).toEqual([]);
    expect(nextSort(up, 'P', false)).toEqual([{ id: 'P', isDown: false }]);
    expect(nextSort(up, 'P', true)).toEqual([...up, { id: 'P', isDown: false }]);
    expect(nextSort([...up, { id: 'P', isDown: true }], 'P', true)).toEqual(up);
  });

  test('belong to the sitting that had begun', () => {
    const begins = [10, 20].map(at => ({ kind: 'started', at }) as Mark);
    expect([5, 10, 19, 20].map(sittingsOf(begins))).toEqual([null, 1, 1, 2]);
  });
});

test('what is shown is copied with every digit, and nothing of it is a formula', () => {
  const rows = [row({ n: 1, metric: 0.123456789, hypothesis: '=cmd|1, "two"\nthree\tfour' })];
  const columns = ['n', 'val_bpb', 'P', 'curve', 'hypothesis'].map(
    id => COLUMNS.find(column => column.id === id) as Column,
  );
  expect(tableCsv(rows, columns)).toBe(
    'n,val_bpb,P,hypothesis\r\n1,0.123456789,,"\'=cmd|1, ""two""\nthree\tfour"\r\n',
  );
  expect(tableTsv(rows, columns)).toBe(
    'n\tval_bpb\tP\thypothesis\n1\t0.123456789\t\t\'=cmd|1, "two" three four',
  );
});

test('keys go from cell to cell, and from the first row to the headings', () => {
  const press = (key: string, more: object = {}, isAtHead = false) =>
    keyAction(
      { ...{ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false }, ...more },
      isAtHead,
    );
  expect(press('j')).toEqual({ kind: 'go', to: 'down' });
  expect(press('Enter')).toEqual({ kind: 'open' });
  expect(press('Enter', { shiftKey: true }, true)).toEqual({ kind: 'sort', isAdded: true });
  expect(press('ArrowRight', { ctrlKey: true }, true)).toEqual({ kind: 'width', by: 1 });
  expect(press('ArrowLeft', { shiftKey: true }, true)).toEqual({ kind: 'move', by: -1 });
  expect(press('ArrowLeft', { altKey: true })).toBeNull();
  expect(press('k', { ctrlKey: true })).toBeNull();
  const size = { rows: 10, columns: 3, page: 4 };
  expect(stepFrom({ row: 0, column: 1 }, 'up', size)).toEqual({ row: null, column: 1 });
  expect(stepFrom({ row: null, column: 1 }, 'up', size)).toEqual({ row: null, column: 1 });
  expect(stepFrom({ row: null, column: 1 }, 'down', size)).toEqual({ row: 0, column: 1 });
  expect(stepFrom({ row: 8, column: 1 }, 'pageDown', size)).toEqual({ row: 9, column: 1 });
  expect(stepFrom({ row: 2, column: 1 }, 'pageUp', size)).toEqual({ row: 0, column: 1 });
  expect(stepFrom({ row: 2, column: 2 }, 'right', size)).toEqual({ row: 2, column: 2 });
  expect(stepFrom({ row: 2, column: 2 }, 'bottom', size)).toEqual({ row: 9, column: 2 });
});

test('the number of a constant is read as programs write it', () => {
  expect(['1_000', '2**19', '-1e-3', '.5', '3.', '1e', '"gelu"', '(1, 2)'].map(readNumeral)).toEqual([
    ...[1_000, 524_288, -0.001, 0.5, 3, null, null, null],
  ]);
});

describe('the axis of a constant', () => {
  const places = (texts: readonly string[]) => texts.map(text => axisOf('LR', texts)?.placeOf(text) ?? null);

  test('is logarithmic where sizes differ much, with room on either side', () => {
    const axis = axisOf('LR', ['0.01', '0.1', '1']);
    expect(axis?.isLog).toBe(true);
    expect(axis?.placeOf('0.1')).toBeCloseTo(0.5);
    expect(axis?.placeOf('-1')).toBeNull();
    expect(axisOf('DEPTH', ['4', '6', '8'])?.isLog).toBe(false);
    expect(axisOf('ORDER', ['2', '3'])?.ticks.map(({ label }) => label)).toEqual(['2', '3']);
    const [first, , last] = places(['4', '6', '8']);
    expect(
      [first, last].map(place => place !== null && place !== undefined && place > 0 && place < 1),
    ).toEqual([true, true]);
    expect(axis?.valueAt(0.5)).toBeCloseTo(0.1);
  });

  test('of words has a place for each, and there is none of one value or of a text', () => {
    expect(places(['"gelu"', '"relu"'])).toEqual([0.25, 0.75]);
    expect(axisOf('LR', ['0.1'])).toBeNull();
    expect(
      axisOf(
        'TEXT',
        Array.from({ length: 13 }, (_, n) => `"${n} words"`),
      ),
    ).toBeNull();
  });

  test('shows where nothing was tried, and not around what was', () => {
    const axis = axisOf('BETA', ['0', '0.1', '1']);
    expect(axis?.gaps).toHaveLength(3);
    for (const text of ['0', '0.1', '1']) {
      const place = axis?.placeOf(text) ?? 0;
      expect(axis?.gaps.some(([from, to]) => place > from && place < to)).toBe(false);
    }
    expect(
      axis?.gaps.some(([from, to]) => (axis.placeOf('0.5') ?? 0) > from && (axis.placeOf('0.5') ?? 0) < to),
    ).toBe(true);
  });

  test('gives marks also where it holds no power of ten', () => {
    const labels = (texts: readonly string[]) => axisOf('LR', texts)?.ticks.map(({ label }) => label);
    expect(labels(['0.0025', '0.02'])).toEqual(['0.005', '0.01', '0.02']);
    expect(labels(['128', '1024'])).toEqual(['200', '500', '1000']);
  });
});

test('a group counts what was tried, and names the baseline beside it', () => {
  const baseline = row({ n: 0, word: 'keep' });
  const tried = [row({ n: 1, word: 'keep' }), row({ n: 2 })];
  expect(countRows([baseline], false)).toBe('the baseline');
  expect(countRows(tried, false)).toBe('2 experiments, 1 kept');
  expect(countRows([baseline, ...tried], false)).toBe('the baseline and 2 experiments, 1 kept');
  expect(countRows([baseline, ...tried], true)).toBe('3 experiments, 2 kept');
});
