/** The host over ssh that a mark is about. Before, only its text told: as the first word. */
export const hostsOfMarks = `
ALTER TABLE mark ADD COLUMN host TEXT;
UPDATE mark SET host = substr(text, 1, instr(text, ' ') - 1)
WHERE kind IN ('host_away', 'host_joined') AND instr(text, ' ') > 0;
`;
