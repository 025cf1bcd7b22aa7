/** Since when a job's study is known to be removed: a host that is gone for good is asked for it no longer than some days. */
export const removedSince = 'ALTER TABLE job ADD COLUMN removed_since INTEGER';
