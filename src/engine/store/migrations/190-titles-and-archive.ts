/** The user's title for a study, and since when it is archived; null for neither. */
export const titlesAndArchive = `
ALTER TABLE study ADD COLUMN title TEXT;
ALTER TABLE study ADD COLUMN archived_at INTEGER;
`;
