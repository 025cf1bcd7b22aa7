/**
 * An idea with files has the commit they are based on; "position" orders waiting ideas, "change" tells windows that
 * something changed.
 */
export const ideas = `
CREATE TABLE idea (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL,
  hypothesis TEXT NOT NULL,
  rationale TEXT,
  predicted_effect REAL,
  category TEXT,
  base TEXT,
  files TEXT,
  edits TEXT,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'refused', 'dropped')),
  n INTEGER,
  taken_at INTEGER,
  message TEXT,
  change INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX idea_by_state ON idea (study_id, state, position);
CREATE TRIGGER idea_insert AFTER INSERT ON idea BEGIN
  UPDATE idea SET change = (SELECT max(change) + 1 FROM idea) WHERE id = new.id;
END;
CREATE TRIGGER idea_update AFTER UPDATE OF position, hypothesis, rationale, predicted_effect, category, state ON idea BEGIN
  UPDATE idea SET change = (SELECT max(change) + 1 FROM idea) WHERE id = new.id;
END;
`;
