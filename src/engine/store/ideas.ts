import type { FileEdit, Idea, IdeaState } from '../../shared/ideas.ts';
import type { Database } from './database.ts';

/**
 * The files of an edit as they are to be, and the commit they were made from; and the replacements that made them, where that
 * is all that did.
 */
export type IdeaEdit = {
  readonly base: string;
  readonly files: ReadonlyMap<string, string>;
  readonly edits: readonly FileEdit[];
};
export type NewIdea = Pick<
  Idea,
  'author' | 'hypothesis' | 'rationale' | 'predictedEffect' | 'category' | 'at'
> & {
  readonly edit: IdeaEdit | null;
  /** Of a combination: the experiment that the edit is from, and the keep it is tried together with. */
  readonly pair?: readonly [number, number];
};
/** An idea in its turn. */
export type QueuedIdea = Idea & {
  readonly edit: IdeaEdit | null;
  readonly takenAt: number | null;
  readonly pair: readonly [number, number] | null;
};

type Row = Omit<Idea, 'files'> & {
  readonly pair: string | null;
  readonly base: string | null;
  readonly files: string | null;
  readonly edits: string | null;
  readonly takenAt: number | null;
};

const COLUMNS = `id, at, author, hypothesis, rationale, predicted_effect AS predictedEffect, category, base, files,
  edits, pair, state, n, taken_at AS takenAt, message`;

export type IdeaStore = ReturnType<typeof ideaStore>;

/** What waits to be tried, in the order it will be. */
export function ideaStore(database: Database) {
  const add = database.prepare(
    `INSERT INTO idea (study_id, position, at, author, hypothesis, rationale, predicted_effect, category, base, files, edits, pair, state)
     VALUES (@study, (SELECT coalesce(max(position), 0) + 1 FROM idea WHERE study_id = @study), @at, @author, @hypothesis,
       @rationale, @predictedEffect, @category, @base, @files, @edits, @pair, 'waiting')`,
  );
  const get = database.prepare<[string, number], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = ? AND id = ?`,
  );
  const ofState = database.prepare<[string, IdeaState], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = +? AND state = +? ORDER BY position`,
  );
  const latest = database.prepare<[string, number], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = ? AND state <> 'waiting' ORDER BY coalesce(taken_at, at) DESC LIMIT ?`,
  );
  const takenBy = database.prepare<[string, number], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = +? AND state = 'taken' AND n = +? ORDER BY taken_at DESC LIMIT 1`,
  );
  const firstEdit = database.prepare<[string], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = +? AND state = 'waiting' AND files IS NOT NULL ORDER BY position LIMIT 1`,
  );
  const firstOwnEdit = database.prepare<[string], Row>(
    `SELECT ${COLUMNS} FROM idea WHERE study_id = +? AND state = 'waiting' AND files IS NOT NULL AND pair IS NULL
     ORDER BY position LIMIT 1`,
  );
  const take = database.prepare(
    `UPDATE idea SET state = 'taken', n = ?, taken_at = ? WHERE study_id = ? AND id = ? AND state = 'waiting'`,
  );
  const close = database.prepare(
    'UPDATE idea SET state = ?, message = ? WHERE study_id = ? AND id = ? AND state = ?',
  );
  const release = database.prepare(
    `UPDATE idea SET state = 'waiting', n = NULL, taken_at = NULL WHERE study_id = ? AND id = ? AND state = 'taken'`,
  );
  const say = database.prepare(
    `UPDATE idea SET hypothesis = @hypothesis, rationale = @rationale, predicted_effect = @predictedEffect, category = @category
     WHERE study_id = @study AND id = @id AND state = 'waiting'`,
  );
  const restore = database.prepare(
    `UPDATE idea SET state = 'waiting', position = (SELECT coalesce(max(position), 0) + 1 FROM idea WHERE study_id = @study)
     WHERE study_id = @study AND id = @id AND state = 'dropped'`,
  );
  const order = database.prepare('UPDATE idea SET position = ? WHERE study_id = ? AND id = ?');
  const changes = database.prepare<[string], { waiting: number; version: number }>(
    `SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, coalesce(max(change), 0) AS version FROM idea
     WHERE study_id = ?`,
  );

  return {
    /** Puts an idea last. Returns its id. */
    add(study: string, { edit, pair, ...words }: NewIdea): number {
      const files = edit && JSON.stringify(Object.fromEntries(edit.files));
      const edits = edit && JSON.stringify(edit.edits);
      const row = {
        ...words,
        study,
        base: edit?.base ?? null,
        files,
        edits,
        pair: pair ? JSON.stringify(pair) : null,
      };
      return Number(add.run(row).lastInsertRowid);
    },
    get(study: string, id: number): QueuedIdea | null {
      const row = get.get(study, id);
      return row ? ideaOf(row) : null;
    },
    /** In their order. */
    waiting(study: string): readonly QueuedIdea[] {
      return ofState.all(study, 'waiting').map(ideaOf);
    },
    /** Those whose turn has come or never will, newest first. */
    past(study: string, limit: number): readonly QueuedIdea[] {
      return latest.all(study, limit).map(ideaOf);
    },
    /** The idea that experiment `n` tries; null if it tries none. */
    ofExperiment(study: string, n: number): QueuedIdea | null {
      const row = takenBy.get(study, n);
      return row ? ideaOf(row) : null;
    },
    /** The first that waits and brings its edit, combinations counted or not; null where none does. */
    firstEdit(study: string, mayCombine = true): QueuedIdea | null {
      const row = (mayCombine ? firstEdit : firstOwnEdit).get(study);
      return row ? ideaOf(row) : null;
    },
    /** Its turn has come. Returns whether it still waited. */
    take(study: string, id: number, n: number, at: number): boolean {
      return take.run(n, at, study, id).changes > 0;
    },
    refuse(study: string, id: number, message: string): void {
      close.run('refused', message, study, id, 'taken');
    },
    /** Nothing was made of it: it waits again, where it was. */
    release(study: string, id: number): void {
      release.run(study, id);
    },
    /** Returns whether it still waited. */
    drop(study: string, id: number): boolean {
      return close.run('dropped', null, study, id, 'waiting').changes > 0;
    },
    /** Lets one that was dropped wait again, last. Returns whether it was dropped. */
    restore(study: string, id: number): boolean {
      return restore.run({ study, id }).changes > 0;
    },
    /** Other words for one that waits. Returns whether it still did. */
    say(
      study: string,
      id: number,
      words: Pick<Idea, 'hypothesis' | 'rationale' | 'predictedEffect' | 'category'>,
    ): boolean {
      return say.run({ ...words, study, id }).changes > 0;
    },
    /** Puts those that wait in this order; those not named come after them, as they are. Call it inside `ledger.write`. */
    order(study: string, ids: readonly number[]): void {
      const waiting = ofState.all(study, 'waiting').map(({ id }) => id);
      const named = [...new Set(ids)].filter(id => waiting.includes(id));
      const rest = waiting.filter(id => !named.includes(id));
      for (const [position, id] of [...named, ...rest].entries()) order.run(position + 1, study, id);
    },
    /** How many wait; the version is another after any change. */
    count(study: string): { readonly waiting: number; readonly version: number } {
      return changes.get(study) ?? { waiting: 0, version: 0 };
    },
  };
}

function ideaOf({ base, files, edits, pair, ...row }: Row): QueuedIdea {
  const map = files === null ? null : new Map(Object.entries(JSON.parse(files) as Record<string, string>));
  return {
    ...row,
    files: [...(map?.keys() ?? [])],
    pair: pair === null ? null : (JSON.parse(pair) as [number, number]),
    edit: base && map ? { base, files: map, edits: JSON.parse(edits ?? '[]') as FileEdit[] } : null,
  };
}

/** An idea as others see it: without its files' texts. */
export function toldIdea({ edit: _edit, takenAt: _takenAt, pair: _pair, ...idea }: QueuedIdea): Idea {
  return idea;
}
