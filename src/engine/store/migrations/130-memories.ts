export const memories = `
CREATE TABLE memory_version (
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL CHECK (author IN ('pawl', 'you')),
  text TEXT NOT NULL,
  PRIMARY KEY (study_id, id)
) STRICT;
`;
