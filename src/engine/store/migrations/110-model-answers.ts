export const modelAnswers = `
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
`;
