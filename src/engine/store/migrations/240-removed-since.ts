/** Since when a job's study is known to be deleted: after some days, Pawl stops asking a host that is gone for good. */
export const removedSince = 'ALTER TABLE job ADD COLUMN removed_since INTEGER';
