/** Proposals may start from another experiment than the incumbent; null where they start from that. What combines two is found fast. */
export const otherLines = `
ALTER TABLE study ADD COLUMN other_lines TEXT NOT NULL DEFAULT 'off';
ALTER TABLE experiment ADD COLUMN other_line INTEGER;
CREATE INDEX idea_pair ON idea (study_id, n) WHERE pair IS NOT NULL;
`;
