import { expect, test } from 'vitest';
import { constantKey } from '../src/engine/proposers/search/bounds.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { boundsOf, meet, readNote } from '../src/engine/proposers/search/notes.ts';
import { search } from '../src/engine/proposers/search/search-proposer.ts';
import { contractFromFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import { openDesk, untilStopped } from './support/service.ts';
import { prepareNight, rowsOf } from './support/study.ts';
import { startSearch } from './support/training-desk.ts';

const SOURCE = 'DEPTH = 8\nMATRIX_LR = 0.04\nUSE_ROPE = True\n';
const constants = findConstants('train.py', SOURCE);
const names = (bounds: ReturnType<typeof boundsOf>) =>
  bounds && [...bounds].map(([key, bound]) => [key.split('\0')[1], bound && [bound.low, bound.high]]);

test('notes hold constants in a small language, and later ones go over earlier ones', () => {
  const bounds = (...notes: string[]) => names(boundsOf(notes, constants));
  expect(bounds('look at the data order')).toBeNull();
  expect(bounds('Leave DEPTH alone.')).toEqual([
    ['MATRIX_LR', null],
    ['USE_ROPE', null],
  ]);
  expect(bounds('leave DEPTH and USE_ROPE alone; try MATRIX_LR up to 0.1')).toEqual([
    ['MATRIX_LR', [Number.NEGATIVE_INFINITY, 0.1]],
  ]);
  expect(bounds('only MATRIX_LR, try MATRIX_LR between 1e-3 and 0.1')).toEqual([['MATRIX_LR', [0.001, 0.1]]]);
  expect(bounds('only MATRIX_LR', 'free DEPTH')).toEqual([
    ['MATRIX_LR', null],
    ['DEPTH', null],
  ]);
  expect(bounds("Please don't touch DEPTH\nkeep MATRIX_LR down to .01")).toEqual([
    ['MATRIX_LR', [0.01, Number.POSITIVE_INFINITY]],
    ['USE_ROPE', null],
  ]);
  // Nobody meant to have nothing turned.
  expect(bounds('only NO_SUCH')).toEqual([
    ['DEPTH', null],
    ['MATRIX_LR', null],
    ['USE_ROPE', null],
  ]);
  expect(bounds('try MATRIX_LR between 2 and 1')).toBeNull();
});

test('what can be followed and what cannot is said in words', () => {
  expect(readNote('Leave DEPTH alone. Try MATRX_LR up to 0.1. Make it faster', constants)).toEqual({
    followed: ['The search leaves DEPTH alone.'],
    problems: [
      'There is no constant MATRX_LR that the search can change. The most similar is MATRIX_LR.',
      expect.stringMatching(/^"Make it faster" is not a form that the search follows: "leave NAME alone"/),
    ],
  });
});

test('the search turns what it may and only so far; from outside of a range it comes nearer', async () => {
  const contract = contractFromFile(
    contractFileSchema.parse({
      contract: { editable: ['train.py'], train: 'python train.py' },
      metric: { name: 'val_bpb', goal: 'minimize' },
      budget: { seconds: 300 },
    }),
  );
  const turn = async (strategy: 'ladder' | 'gaussian-process', note: string, n: number) => {
    const steering = [{ n: 0, at: 0, text: note }];
    const incumbent = { n: 0, commit: '', metric: 1 };
    const request = { n, history: [], refusals: [], running: [], contract, steering, incumbent };
    const settings = { seed: n, strategy };
    const { signal } = new AbortController();
    const found = await search(new Map([['train.py', SOURCE]]), new Map(), settings, request, null, signal);
    return typeof found === 'string' ? found : found.proposal.hypothesis;
  };
  const all = (strategy: 'ladder' | 'gaussian-process', note: string) =>
    Promise.all(Array.from({ length: 30 }, (_, n) => turn(strategy, note, n + 1)));
  for (const hypothesis of await all('ladder', 'only MATRIX_LR; try MATRIX_LR up to 0.05')) {
    expect(hypothesis).toMatch(/^(?:Lower|Raise) MATRIX_LR from 0\.04 to 0\.0[0-5]/);
  }
  for (const hypothesis of await all('ladder', 'only DEPTH, try DEPTH up to 6'))
    expect(hypothesis).toMatch(/^Lower DEPTH from 8 to [67]$/);
  for (const hypothesis of await all('gaussian-process', 'only MATRIX_LR; try MATRIX_LR up to 0.05')) {
    expect(hypothesis).toMatch(/^MATRIX_LR 0\.04 → 0\.0(?:[0-4]\d*|5): /);
  }
  for (const hypothesis of await all('gaussian-process', 'only DEPTH, try DEPTH up to 6'))
    expect(hypothesis).toMatch(/^DEPTH 8 → [1-7]: /);
  const key = (name: string) => constantKey({ file: 'train.py', name });
  expect(
    meet(
      new Map([
        [key('A'), { low: 0, high: 5 }],
        [key('B'), null],
      ]),
      new Map([[key('A'), { low: 2, high: 9 }]]),
    ),
  ).toEqual(new Map([[key('A'), { low: 2, high: 5 }]]));
});

test('a note is answered at once, and the search follows it', async () => {
  const night = await prepareNight();
  const desk = await openDesk({ home: night.home });
  const study = await startSearch(desk, night.repository, { experiments: 0 });
  await untilStopped(desk, study);
  const steer = (text: string) => desk.calls.studies.steer({ study, text });
  expect(await steer('Leave LR and DEPTH alone')).toEqual({
    followed: ['The search leaves LR, DEPTH alone.'],
    problems: [],
  });
  expect((await steer('be bold')).problems).toHaveLength(1);
  await desk.calls.studies.resume({ study, stop: { experiments: 3 } });
  await untilStopped(desk, study);
  const tried = rowsOf(night.home)
    .experiments.slice(1)
    .map(({ hypothesis }) => hypothesis);
  expect(tried).toHaveLength(3);
  for (const hypothesis of tried) expect(hypothesis).toMatch(/WIDTH/);
  const agent = { kind: 'agent', agent: 'claude', model: null, timeoutSeconds: 9 } as const;
  desk.service.ledger.write(() => {
    const own = desk.service.ledger.studies.get(study);
    if (own)
      desk.service.ledger.studies.setSettings(study, {
        ...own,
        proposer: { kind: 'route', mode: 'stand_in', arms: [agent, { kind: 'search', seed: 1 }] },
      });
  });
  expect(await steer('be bold')).toEqual({
    followed: ['It goes with the next proposal to claude.'],
    problems: [],
  });
});
