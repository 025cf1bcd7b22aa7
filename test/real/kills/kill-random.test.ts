import { expect, test } from 'vitest';
import { killAtRandom } from '../../support/kills.ts';

const KILLS = 200;

test(`${KILLS} kills at random instants of one study lose nothing`, async () => {
  const killedIn = await killAtRandom(KILLS);
  // Otherwise the instants were not random, and this test proves less than its name says.
  expect([...killedIn]).toEqual(expect.arrayContaining(['start', 'experiment_started', 'run_started']));
});
