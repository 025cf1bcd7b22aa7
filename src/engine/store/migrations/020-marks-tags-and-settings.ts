export const marksTagsAndSettings = `
CREATE TABLE mark (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX mark_by_study ON mark (study_id, id);

CREATE TABLE instructions_version (
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (study_id, id)
) STRICT;

CREATE TABLE tag (
  experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (experiment_id, position)
) STRICT;

CREATE TABLE telemetry_chunk (
  run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  points INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (run_id, position)
) STRICT;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE project (
  git_dir TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  opened_at INTEGER NOT NULL
) STRICT;
`;
