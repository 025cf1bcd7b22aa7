/** Where the baseline made, renamed or deleted something (JSON, an array of paths); null where nobody looked. */
export const writtenFolders = 'ALTER TABLE study ADD COLUMN written_folders TEXT;';
