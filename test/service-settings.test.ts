import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { readSettings } from '../src/engine/api/settings.ts';
import { DEFAULT_SETTINGS } from '../src/shared/settings.ts';
import { eventsOfType, openDesk } from './support/service.ts';

test('settings are merged, told to every window, and kept', async () => {
  const desk = await openDesk();
  const { calls } = desk;
  expect((await calls.app.snapshot()).settings).toEqual(DEFAULT_SETTINGS);
  await calls.app.saveSettings({ theme: 'dark' });
  const saved = await calls.app.saveSettings({ notify: { crashes: false } });
  const notify = { ...DEFAULT_SETTINGS.notify, crashes: false };
  expect(saved).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark', notify });
  expect(await calls.app.saveSettings({})).toEqual(saved);
  expect(eventsOfType(desk.events, 'settings').at(-1)?.settings).toEqual(saved);
  await desk.close();
  const again = await openDesk({ home: desk.home });
  expect(again.service.settings()).toEqual(saved);
});

test.each([
  ['{"theme":"pink"}'],
  ['[1,2]'],
  ['null'],
  ['{"notify":{"crashes":"yes"}}'],
  ['{"unknown":1}'],
  ['not json'],
  [''],
])('settings that make no sense any more (%s) count as not set', async value => {
  const { calls, service, home } = await openDesk();
  service.ledger.write(() => service.ledger.settings.set('settings', null));
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'));
  database.prepare("UPDATE setting SET value = ? WHERE name = 'settings'").run(value);
  database.close();
  expect(readSettings(service.ledger)).toEqual(DEFAULT_SETTINGS);
  expect((await calls.app.snapshot()).settings).toEqual(DEFAULT_SETTINGS);
  expect(await calls.app.saveSettings({ diff: 'split' })).toEqual({ ...DEFAULT_SETTINGS, diff: 'split' });
  expect(readSettings(service.ledger).diff).toBe('split');
});
