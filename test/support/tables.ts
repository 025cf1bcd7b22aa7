/** A results.tsv in upstream's own form. */
export const UPSTREAM = `commit	val_bpb	memory_gb	status	description
a1b2c3d	0.997900	44.0	keep	baseline
b2c3d4e	0.993200	44.2	keep	increase LR to 0.04
c3d4e5f	1.005000	44.0	discard	switch to GeLU activation
d4e5f6a	0.000000	0.0	crash	double model width (OOM)
`;

/** RFC 4180, strictly: CRLF between records, quotes doubled. Returns one object for each record after the heading. */
export function parseCsv(text: string): Record<string, string>[] {
  const records: string[][] = [];
  let record: string[] = [];
  let position = 0;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (position < text.length) {
    field.lastIndex = position;
    const match = field.exec(text);
    if (!match)
      throw new Error(`not RFC 4180 at ${position}: ${JSON.stringify(text.slice(position, position + 60))}`);
    position = field.lastIndex;
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      records.push(record);
      record = [];
    }
  }
  const [heading = [], ...rows] = records;
  return rows.map(row => {
    if (row.length !== heading.length)
      throw new Error(`a record of ${row.length} fields under ${heading.length}`);
    return Object.fromEntries(heading.map((name, index) => [name, row[index] ?? '']));
  });
}
