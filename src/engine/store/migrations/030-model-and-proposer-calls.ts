export const modelAndProposerCalls = `
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
`;
