export const lateNumbers = `
CREATE TABLE late_number (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  value REAL NOT NULL,
  source TEXT NOT NULL
) STRICT;
CREATE INDEX late_number_by_study ON late_number (study_id, n, id);
`;
