import type { Database } from './database.ts';

export type StoredProject = { readonly gitDir: string; readonly path: string; readonly openedAt: number };

export type ProjectStore = ReturnType<typeof projectStore>;

/** The repositories the user has opened. */
export function projectStore(database: Database) {
  const open = database.prepare(
    `INSERT INTO project (git_dir, path, opened_at) VALUES (?, ?, ?)
     ON CONFLICT (git_dir) DO UPDATE SET path = excluded.path, opened_at = excluded.opened_at`,
  );
  const forget = database.prepare('DELETE FROM project WHERE git_dir = ?');
  const list = database.prepare<[], StoredProject>(
    'SELECT git_dir AS gitDir, path, opened_at AS openedAt FROM project ORDER BY opened_at DESC',
  );

  return {
    open(gitDir: string, path: string, at: number): void {
      open.run(gitDir, path, at);
    },
    /** Removes it from the list; its studies stay. */
    forget(gitDir: string): void {
      forget.run(gitDir);
    },
    /** The one opened last comes first. */
    list(): readonly StoredProject[] {
      return list.all();
    },
  };
}
