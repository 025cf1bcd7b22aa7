/** Names of the series in a chunk, in order of first appearance, as JSON; null in older chunks. */
export const seriesNames = `
ALTER TABLE series_chunk ADD COLUMN names TEXT;
ALTER TABLE telemetry_chunk ADD COLUMN names TEXT;
`;
