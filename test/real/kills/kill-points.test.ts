import { test } from 'vitest';
import type { DeathPoint } from '../../support/die-at.ts';
import { killAround, killInMaking } from '../../support/kills.ts';

test('a kill around any git call and any ledger transaction loses nothing', async () => {
  const points: DeathPoint[] = [];
  for (let number = 1; number <= 18; number += 1) {
    points.push({ git: number, when: 'ended' }, { transaction: number, when: 'after' });
    if (number % 3 === 0)
      points.push({ git: number, when: 'started' }, { transaction: number, when: 'before' });
  }
  await killAround(points);
});

test('a kill anywhere in the making of a study leaves a study that can be made or resumed', async () => {
  const points: DeathPoint[] = [1, 2, 3].map(transaction => ({ transaction, when: 'after' }));
  for (let number = 1; number <= 9; number += 1) points.push({ git: number, when: 'ended' });
  await killInMaking(points);
});
