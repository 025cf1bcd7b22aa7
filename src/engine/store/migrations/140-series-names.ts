/** Names of the series in a chunk, in the order they first came, as JSON; null in chunks from before. */
export const seriesNames = `
ALTER TABLE series_chunk ADD COLUMN names TEXT;
ALTER TABLE telemetry_chunk ADD COLUMN names TEXT;
`;
