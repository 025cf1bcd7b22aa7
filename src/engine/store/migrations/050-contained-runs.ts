export const containedRuns = 'ALTER TABLE run ADD COLUMN contained INTEGER;';
