/** Messages for the user away from this machine. A waiting message is sent by the next engine that runs. */
export const messages = `
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  notice TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'sent', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0,
  settled_at INTEGER,
  error TEXT
) STRICT;
CREATE INDEX message_state ON message (state, id);
CREATE INDEX message_at ON message (at);
`;
