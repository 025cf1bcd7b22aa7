/** What a model wrote of a debrief. `sitting_from` is when its sitting began, null for the whole study; `finished` counts verdicts then. */
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
