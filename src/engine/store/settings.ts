import type { Database } from './database.ts';

export type SettingStore = ReturnType<typeof settingStore>;

/** The user's settings, by name, as JSON. The reader of a value has to validate it. */
export function settingStore(database: Database) {
  const get = database.prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?');
  const set = database.prepare(
    'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );

  return {
    /** Null if it was never set, or is no longer valid JSON. */
    get(name: string): unknown {
      const row = get.get(name);
      try {
        return row ? JSON.parse(row.value) : null;
      } catch (error) {
        if (error instanceof SyntaxError) return null;
        throw error;
      }
    },
    set(name: string, value: unknown): void {
      set.run(name, JSON.stringify(value));
    },
  };
}
