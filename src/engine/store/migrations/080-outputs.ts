export const outputs = "ALTER TABLE study ADD COLUMN outputs TEXT NOT NULL DEFAULT '[]';";
