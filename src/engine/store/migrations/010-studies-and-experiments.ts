/** Times are milliseconds since the epoch. JSON columns hold values that are always read whole. Commits are full ids. */
export const studiesAndExperiments = `
CREATE TABLE study (
  id TEXT PRIMARY KEY,
  tag TEXT NOT NULL,
  repository_path TEXT NOT NULL,
  git_dir TEXT NOT NULL,
  contract TEXT NOT NULL,
  base_commit TEXT NOT NULL,
  proposer TEXT NOT NULL,
  stop TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'paused', 'stopped', 'imported')),
  stop_reason TEXT,
  stop_detail TEXT,
  created_at INTEGER NOT NULL,
  preserved TEXT NOT NULL DEFAULT '[]',
  worktree_name TEXT NOT NULL,
  imported_from TEXT,
  import_columns TEXT
) STRICT;
CREATE INDEX study_by_repository ON study (git_dir, tag);

CREATE TABLE experiment (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  phase TEXT NOT NULL,
  hypothesis TEXT,
  rationale TEXT,
  predicted_effect REAL,
  category TEXT,
  memo TEXT,
  parent_commit TEXT,
  attempt_commit TEXT,
  edit_digest TEXT,
  source_lines INTEGER,
  verdict TEXT CHECK (verdict IN ('keep', 'discard', 'crash')),
  reason TEXT,
  evidence TEXT,
  metric REAL,
  memory REAL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  imported TEXT,
  UNIQUE (study_id, n)
) STRICT;
CREATE INDEX experiment_by_edit ON experiment (study_id, edit_digest);
CREATE INDEX experiment_unfinished ON experiment (study_id, phase) WHERE phase <> 'recorded';
CREATE INDEX experiment_by_verdict ON experiment (study_id, verdict, metric);

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  k INTEGER NOT NULL,
  commit_name TEXT NOT NULL,
  edit_digest TEXT,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT,
  summary TEXT,
  crash TEXT,
  units TEXT,
  peak_rss_bytes INTEGER,
  cpu_seconds REAL,
  output_bytes INTEGER,
  UNIQUE (experiment_id, k)
) STRICT;

CREATE TABLE series_chunk (
  run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  points INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (run_id, position)
) STRICT;

CREATE TABLE refusal (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  hypothesis TEXT,
  memo TEXT
) STRICT;
CREATE INDEX refusal_by_study ON refusal (study_id, n);

CREATE TABLE note (
  id INTEGER PRIMARY KEY,
  experiment_id INTEGER NOT NULL REFERENCES experiment (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX note_by_experiment ON note (experiment_id);

CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pause', 'continue', 'stop', 'stop_now'))
) STRICT;

CREATE VIRTUAL TABLE experiment_text USING fts5 (
  hypothesis, rationale, notes, content = '', contentless_delete = 1, tokenize = 'porter unicode61'
);
CREATE TRIGGER experiment_text_insert AFTER INSERT ON experiment WHEN new.hypothesis IS NOT NULL BEGIN
  INSERT INTO experiment_text (rowid, hypothesis, rationale, notes)
  VALUES (new.id, new.hypothesis, new.rationale, '');
END;
CREATE TRIGGER experiment_text_update AFTER UPDATE OF hypothesis, rationale ON experiment BEGIN
  DELETE FROM experiment_text WHERE rowid = old.id;
  INSERT INTO experiment_text (rowid, hypothesis, rationale, notes)
  SELECT new.id, new.hypothesis, new.rationale, coalesce(group_concat(text, char(10)), '')
  FROM note WHERE experiment_id = new.id;
END;
CREATE TRIGGER experiment_text_delete AFTER DELETE ON experiment BEGIN
  DELETE FROM experiment_text WHERE rowid = old.id;
END;
CREATE TRIGGER experiment_text_note AFTER INSERT ON note BEGIN
  DELETE FROM experiment_text WHERE rowid = new.experiment_id;
  INSERT INTO experiment_text (rowid, hypothesis, rationale, notes)
  SELECT e.id, e.hypothesis, e.rationale, coalesce(group_concat(n.text, char(10)), '')
  FROM experiment e JOIN note n ON n.experiment_id = e.id WHERE e.id = new.experiment_id GROUP BY e.id;
END;
`;
