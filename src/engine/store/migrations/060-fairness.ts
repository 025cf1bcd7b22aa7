export const fairness = 'ALTER TABLE run ADD COLUMN fairness TEXT;';
