/**
 * Jobs on other machines, from before their creation until they are completely removed. A job may outlive its study,
 * so it is not a child of it. The user can ask for a single run of an experiment to be ended.
 */
export const jobsElsewhere = `
CREATE TABLE job (
  marker TEXT PRIMARY KEY,
  study_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  k INTEGER NOT NULL,
  place TEXT NOT NULL,
  git_dir TEXT NOT NULL,
  taken_by INTEGER
) STRICT;
CREATE INDEX job_study ON job (study_id, n);
DROP TABLE request;
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  n INTEGER
) STRICT;
`;
