import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../src/engine/store/database.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { MIGRATIONS } from '../src/engine/store/migrations.ts';
import { temporaryFolder } from './support/scaffold.ts';

test('marks of an older ledger know which host they are about', async () => {
  const path = join(await temporaryFolder(), 'pawl.sqlite');
  const database = openDatabase(
    path,
    MIGRATIONS.filter(({ version }) => version <= 250),
  );
  database.pragma('foreign_keys = OFF');
  const add = database.prepare("INSERT INTO mark (study_id, n, at, kind, text) VALUES ('s1', 0, 1, ?, ?)");
  add.run('host_away', 'lab1 is out of reach: the study runs without its lanes.');
  add.run('host_joined', 'lab1 can be reached now: one lane more.');
  add.run('steered', 'lab1 is slow');
  database.close();
  const ledger = openLedger(path);
  expect(ledger.marks.list('s1').map(({ host }) => host)).toEqual(['lab1', 'lab1', null]);
  ledger.close();
});
