/** Where the baseline created, renamed or deleted something (JSON, an array of paths); null if not recorded. */
export const writtenFolders = 'ALTER TABLE study ADD COLUMN written_folders TEXT;';
