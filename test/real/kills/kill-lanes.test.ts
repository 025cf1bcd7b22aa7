import { expect, test } from 'vitest';
import { killAtRandom } from '../../support/kills.ts';

const KILLS = 30;

test(`${KILLS} kills at random instants of a study in two lanes lose nothing`, async () => {
  const killedIn = await killAtRandom(KILLS, { lanes: ['--lanes', 'cpu:2'], atOnce: 2 });
  expect([...killedIn]).toEqual(expect.arrayContaining(['start']));
});
