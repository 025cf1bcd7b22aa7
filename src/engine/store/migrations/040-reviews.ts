export const reviews = `
ALTER TABLE study ADD COLUMN asks_approval INTEGER NOT NULL DEFAULT 0;

CREATE TABLE review (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  proposal TEXT NOT NULL,
  start_commit TEXT NOT NULL,
  parent_commit TEXT NOT NULL,
  commit_name TEXT NOT NULL,
  edit_digest TEXT NOT NULL,
  source_lines INTEGER NOT NULL,
  is_repair INTEGER NOT NULL,
  outcome TEXT,
  message TEXT,
  comments TEXT,
  decided_at INTEGER
) STRICT;
CREATE INDEX review_by_study ON review (study_id, n, id);
`;
