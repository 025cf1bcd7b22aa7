import { setImmediate as nextTurn } from 'node:timers/promises';
import { readLevelDbLog } from './leveldb-log.ts';
import type { RecordEnd } from './record-file.ts';

/** After this many records, the engine gets a turn. */
const RECORDS_A_TURN = 2_000;

/**
 * Reads a log whose records are messages, one after another; a record that `take` throws for is broken.
 * @param start offset of the first record, after the file's header
 */
export async function readRecordMessages(
  file: Buffer,
  start: number,
  take: (message: Uint8Array) => void,
): Promise<RecordEnd> {
  let count = 0;
  let malformed = 0;
  const records = readLevelDbLog(file, start);
  let next = records.next();
  for (; !next.done; next = records.next()) {
    count += 1;
    if (count % RECORDS_A_TURN === 0) await nextTurn();
    try {
      take(next.value);
    } catch {
      malformed += 1;
    }
  }
  const { isCut, broken } = next.value;
  return { isCut, broken: broken + malformed };
}
