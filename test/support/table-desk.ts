import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect } from 'vitest';
import { type PawlResult, pawl } from './pawl.ts';
import { temporaryFolder } from './scaffold.ts';

export type ResultRow = {
  experiment: number;
  verdict: string;
  metric: number | null;
  delta: number | null;
  best: number | null;
  memory: number | null;
  commit: string | null;
  hypothesis: string;
};

/** A data folder, and the operations with tables in it. */
export async function tableDesk() {
  const home = await temporaryFolder();
  return {
    home,
    async import(name: string, content: string | Buffer, ...args: string[]): Promise<PawlResult> {
      await writeFile(join(home, name), content);
      return pawl(['import', join(home, name), ...args], { home });
    },
    async rows(tag: string): Promise<readonly ResultRow[]> {
      const { stdout } = await pawl(['results', '--tag', tag, '--format', 'json'], { home });
      return JSON.parse(stdout) as ResultRow[];
    },
    async tally(tag: string): Promise<Record<string, number | null>> {
      const { stdout } = await pawl(['status', '--tag', tag, '--json'], { home });
      return (JSON.parse(stdout) as { tally: Record<string, number | null> }).tally;
    },
    async export(tag: string, format = 'tsv'): Promise<string> {
      const { code, stdout } = await pawl(['export', '--tag', tag, '--format', format], { home });
      expect(code).toBe(0);
      return stdout;
    },
    countStudies(): number {
      if (!existsSync(join(home, 'pawl.sqlite'))) return 0;
      const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
      const { count } = database
        .prepare('SELECT (SELECT count(*) FROM study) + (SELECT count(*) FROM experiment) AS count')
        .get() as { count: number };
      database.close();
      return count;
    },
  };
}
