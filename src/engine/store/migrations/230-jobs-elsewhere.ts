/**
 * Jobs on other machines, from before they are made until nothing is left of them. A job may outlive its study, so that it is no child of
 * it. One run of an experiment can be asked to end.
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
