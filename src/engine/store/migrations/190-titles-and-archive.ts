/** What the user calls a study instead of its tag, and since when it is put away; null for neither. */
export const titlesAndArchive = `
ALTER TABLE study ADD COLUMN title TEXT;
ALTER TABLE study ADD COLUMN archived_at INTEGER;
`;
