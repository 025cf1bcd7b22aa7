/**
 * A model's summaries of debriefs. `sitting_from` is when the sitting began, null for the whole study; `finished` is
 * the number of verdicts at that time.
 */
export const summaries = `
CREATE TABLE summary (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  sitting_from INTEGER,
  at INTEGER NOT NULL,
  model TEXT NOT NULL,
  finished INTEGER NOT NULL,
  sentences TEXT NOT NULL,
  dropped INTEGER NOT NULL
) STRICT;
CREATE INDEX summary_study ON summary (study_id, id);
`;
