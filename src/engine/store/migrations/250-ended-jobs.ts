/** Whether a job is known to have ended: until the lane's next run, its files are still there. */
export const endedJobs =
  'ALTER TABLE job ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))';
