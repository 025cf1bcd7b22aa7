import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, type Place, readHash } from '../src/renderer/app/address.ts';
import { STUDY_TABS } from '../src/renderer/app/store.ts';

const places: fc.Arbitrary<Place> = fc.oneof(
  fc.constant<Place>({ name: 'welcome' }),
  fc.constant<Place>({ name: 'overview' }),
  fc.string({ minLength: 1, unit: 'grapheme' }).map((path): Place => ({ name: 'set_up', path })),
  fc.tuple(fc.string({ minLength: 1 }), fc.constantFrom(...STUDY_TABS), fc.option(fc.nat())).map(
    ([study, tab, n]): Place => ({
      ...{ name: 'study', study, tab },
      n: tab === 'notebook' && n !== null ? n % 1e9 : null,
    }),
  ),
);

test('every place is found again by its address', () => {
  fc.assert(
    fc.property(places, place => {
      expect(readHash(hashOf(place))).toEqual(place);
    }),
  );
});

test('addresses are as they are written down', () => {
  expect(hashOf({ name: 'study', study: 'k3', tab: 'notebook', n: 12 })).toBe('#/study/k3/notebook/12');
  expect(hashOf({ name: 'set_up', path: '/home/me/a b' })).toBe('#/set-up/%2Fhome%2Fme%2Fa%20b');
  expect(readHash('')).toEqual({ name: 'welcome' });
  expect(readHash('#/study/k3')).toEqual({ name: 'study', study: 'k3', tab: 'notebook', n: null });
  expect(readHash('#/study/k3/live/')).toEqual({ name: 'study', study: 'k3', tab: 'live', n: null });
});

test('what is no address of Pawl is none', () => {
  for (const hash of [
    ...['#/elsewhere', '#/study', '#/study/', '#/study/k3/garden', '#/study/k3/live/4'],
    ...['#/study/k3/notebook/-1', '#/study/k3/notebook/4/5', '#/study/%E0%A4%A/notebook', '#/set-up/a/b'],
  ])
    expect(readHash(hash), hash).toBeNull();
});
