import type { FileEdit, Idea, IdeaDescription, IdeaState } from '../../shared/proposers/ideas.ts';
import { type Database, decode } from './database.ts';

/**
 * The files of an edit with their new content, and the commit they are based on; also the replacements that made
 * them, if the edit consists only of those.
 */
export type IdeaEdit = {
  readonly base: string;
  readonly files: ReadonlyMap<string, string>;
  readonly edits: readonly FileEdit[];
};
export type NewIdea = IdeaDescription & {
  readonly author: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly edit: IdeaEdit | null;
  /** For a combination: the experiment whose edit it uses, and the keep it is combined with. */
  readonly pair?: readonly [number, number];
};
/** An idea in the queue. */
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

/** The queue of ideas that wait to be tried, in order. */
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
    /** Adds an idea at the end. Returns its id. */
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
    /** In queue order. */
    waiting(study: string): readonly QueuedIdea[] {
      return ofState.all(study, 'waiting').map(ideaOf);
    },
    /** Ideas that were tried or never will be, newest first. */
    past(study: string, limit: number): readonly QueuedIdea[] {
      return latest.all(study, limit).map(ideaOf);
    },
    /** The idea that experiment `n` tries; null if it tries none. */
    ofExperiment(study: string, n: number): QueuedIdea | null {
      const row = takenBy.get(study, n);
      return row ? ideaOf(row) : null;
    },
    /** The first waiting idea with an edit, with or without combinations; null if there is none. */
    firstEdit(study: string, mayCombine = true): QueuedIdea | null {
      const row = (mayCombine ? firstEdit : firstOwnEdit).get(study);
      return row ? ideaOf(row) : null;
    },
    /** Marks an idea as being tried. Returns whether it was still waiting. */
    take(study: string, id: number, n: number, at: number): boolean {
      return take.run(n, at, study, id).changes > 0;
    },
    refuse(study: string, id: number, message: string): void {
      close.run('refused', message, study, id, 'taken');
    },
    /** No experiment used it, so it waits again at its old position. */
    release(study: string, id: number): void {
      release.run(study, id);
    },
    /** Returns whether it was still waiting. */
    drop(study: string, id: number): boolean {
      return close.run('dropped', null, study, id, 'waiting').changes > 0;
    },
    /** Puts a dropped idea at the end of the queue. Returns whether it was dropped. */
    restore(study: string, id: number): boolean {
      return restore.run({ study, id }).changes > 0;
    },
    /** Changes the words of a waiting idea. Returns whether it was still waiting. */
    say(study: string, id: number, description: IdeaDescription): boolean {
      return say.run({ ...description, study, id }).changes > 0;
    },
    /** Puts waiting ideas in this order; those not named follow in their present order. Call it inside `ledger.write`. */
    order(study: string, ids: readonly number[]): void {
      const waiting = ofState.all(study, 'waiting').map(({ id }) => id);
      const named = [...new Set(ids)].filter(id => waiting.includes(id));
      const rest = waiting.filter(id => !named.includes(id));
      for (const [position, id] of [...named, ...rest].entries()) order.run(position + 1, study, id);
    },
    /** How many ideas wait; the version changes with every change of the queue. */
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
    pair: decode<[number, number]>(pair),
    edit: base && map ? { base, files: map, edits: JSON.parse(edits ?? '[]') as FileEdit[] } : null,
  };
}

/** An idea as other parts see it: without the texts of its files. */
export function toldIdea({ edit: _edit, takenAt: _takenAt, pair: _pair, ...idea }: QueuedIdea): Idea {
  return idea;
}
