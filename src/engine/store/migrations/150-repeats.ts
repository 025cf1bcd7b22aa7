/**
 * Runs of a commit that already has its verdict: why it was trained again (`baseline`, `remeasure`, `audit`,
 * `headline`; null for a run that led to the verdict), and the number that counts in the experiment's record.
 */
export const repeats = `
ALTER TABLE run ADD COLUMN purpose TEXT;
ALTER TABLE run ADD COLUMN value REAL;
CREATE INDEX run_open ON run (experiment_id) WHERE outcome IS NULL;
`;
