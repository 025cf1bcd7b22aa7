/** Proposals may start from another experiment than the incumbent: from which one, null where from the incumbent. */
export const otherLines = `
ALTER TABLE study ADD COLUMN other_lines TEXT NOT NULL DEFAULT 'off';
ALTER TABLE experiment ADD COLUMN other_line INTEGER;
`;
