/** A numbered change of the schema. Numbers go up in tens, so that a fix can be put between two releases. */
export type Migration = { readonly version: number; readonly sql: string };

/**
 * Times are milliseconds since the epoch. JSON columns hold what is only ever read whole. Commits are full names.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 10,
    sql: `
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
`,
  },
  {
    version: 20,
    sql: `
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
`,
  },
  {
    version: 30,
    sql: `
CREATE TABLE model_call (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  proposer TEXT NOT NULL,
  model TEXT NOT NULL,
  request_id TEXT,
  outcome TEXT NOT NULL,
  message TEXT,
  input_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  output_tokens INTEGER,
  reserved_usd REAL,
  cost_usd REAL,
  seconds REAL
) STRICT;
CREATE INDEX model_call_by_study ON model_call (study_id, n, id);

CREATE TABLE proposer_call (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  proposer TEXT NOT NULL,
  outcome TEXT NOT NULL,
  message TEXT,
  seconds REAL
) STRICT;
CREATE INDEX proposer_call_by_study ON proposer_call (study_id, n, id);
CREATE INDEX proposer_call_by_proposer ON proposer_call (study_id, proposer, id);
`,
  },
  {
    version: 40,
    sql: `
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
`,
  },
  {
    version: 50,
    sql: 'ALTER TABLE run ADD COLUMN contained INTEGER;',
  },
  { version: 60, sql: 'ALTER TABLE run ADD COLUMN fairness TEXT;' },
  {
    version: 70,
    sql: 'ALTER TABLE run ADD COLUMN gpu_energy_wh REAL; ALTER TABLE study ADD COLUMN gpu TEXT;',
  },
  { version: 80, sql: "ALTER TABLE study ADD COLUMN outputs TEXT NOT NULL DEFAULT '[]';" },
  {
    version: 90,
    sql: `
CREATE TABLE late_number (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  value REAL NOT NULL,
  source TEXT NOT NULL
) STRICT;
CREATE INDEX late_number_by_study ON late_number (study_id, n, id);
`,
  },
  {
    version: 100,
    // Words as they are written, beside their stems: a stem does not begin like every part of its word.
    sql: `
CREATE VIRTUAL TABLE experiment_word USING fts5 (
  hypothesis, rationale, notes, content = '', contentless_delete = 1, tokenize = 'unicode61', prefix = '2 3'
);
INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
SELECT id, hypothesis, rationale, (SELECT group_concat(text, char(10)) FROM note WHERE experiment_id = experiment.id)
FROM experiment WHERE hypothesis IS NOT NULL;
CREATE TRIGGER experiment_word_insert AFTER INSERT ON experiment WHEN new.hypothesis IS NOT NULL BEGIN
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  VALUES (new.id, new.hypothesis, new.rationale, '');
END;
CREATE TRIGGER experiment_word_update AFTER UPDATE OF hypothesis, rationale ON experiment BEGIN
  DELETE FROM experiment_word WHERE rowid = old.id;
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  SELECT new.id, new.hypothesis, new.rationale, coalesce(group_concat(text, char(10)), '')
  FROM note WHERE experiment_id = new.id;
END;
CREATE TRIGGER experiment_word_delete AFTER DELETE ON experiment BEGIN
  DELETE FROM experiment_word WHERE rowid = old.id;
END;
CREATE TRIGGER experiment_word_note AFTER INSERT ON note BEGIN
  DELETE FROM experiment_word WHERE rowid = new.experiment_id;
  INSERT INTO experiment_word (rowid, hypothesis, rationale, notes)
  SELECT e.id, e.hypothesis, e.rationale, coalesce(group_concat(n.text, char(10)), '')
  FROM experiment e JOIN note n ON n.experiment_id = e.id WHERE e.id = new.experiment_id GROUP BY e.id;
END;
`,
  },
  {
    version: 110,
    sql: `
ALTER TABLE study ADD COLUMN cap_usd REAL;
ALTER TABLE model_call ADD COLUMN is_kept INTEGER NOT NULL DEFAULT 0;

CREATE TABLE model_answer (
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  at INTEGER NOT NULL,
  question BLOB NOT NULL,
  answer BLOB,
  PRIMARY KEY (study_id, digest)
) STRICT;
`,
  },
  {
    version: 120,
    // An idea with files has the commit they were made from; "position" orders those that wait, "change" tells windows of news.
    sql: `
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
`,
  },
  {
    version: 130,
    sql: `
CREATE TABLE memory_version (
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL CHECK (author IN ('pawl', 'you')),
  text TEXT NOT NULL,
  PRIMARY KEY (study_id, id)
) STRICT;
`,
  },
];
