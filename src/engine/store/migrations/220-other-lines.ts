/**
 * A proposal may start from another experiment than the incumbent; null if it starts from the incumbent. The index
 * finds combinations of two experiments quickly.
 */
export const otherLines = `
ALTER TABLE study ADD COLUMN other_lines TEXT NOT NULL DEFAULT 'off';
ALTER TABLE experiment ADD COLUMN other_line INTEGER;
CREATE INDEX idea_pair ON idea (study_id, n) WHERE pair IS NOT NULL;
`;
