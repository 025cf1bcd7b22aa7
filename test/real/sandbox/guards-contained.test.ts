import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guardedNight } from '../../support/guarded-night.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

const METRIC = '[metric]\nname = "score"\ngoal = "maximize"\n';

test('checks run in the training’s sandbox', async () => {
  const secret = join(await temporaryFolder(), 'secret');
  const { verdicts } = await guardedNight(
    `${METRIC}[checks]\nhidden = "test ! -e ${secret} && ! touch pawl.toml && ! getent hosts example.com"\n`,
    ['echo score: 1', 'echo score: 2'],
    { env: { PAWL_SANDBOX: 'required' } },
  );
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
  await expect(stat(secret)).rejects.toThrow();
});
