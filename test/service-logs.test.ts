import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { followOutput, readLogPiece, searchLog } from '../src/engine/api/log-view.ts';
import type { LogPiece, OutputPiece } from '../src/shared/notebook.ts';
import { temporaryFolder } from './support/scaffold.ts';
import { collect, refusalOf, untilStopped } from './support/service.ts';
import { trainingDesk } from './support/training-desk.ts';

const PIECE = 256 * 1024;

async function logOf(content: string | Buffer): Promise<string> {
  const path = join(await temporaryFolder(), 'output.log');
  await writeFile(path, content);
  return path;
}

/** All pieces of a log as a reader gets them that goes from the beginning to the end. */
async function readForward(path: string, isLive = false): Promise<readonly LogPiece[]> {
  const pieces: LogPiece[] = [];
  for (let from = 0; ; ) {
    const piece = await readLogPiece(path, { from }, isLive);
    if (piece.to <= from) return pieces;
    pieces.push(piece);
    from = piece.to;
  }
}

const linesOf = (pieces: readonly LogPiece[]) => pieces.flatMap(piece => piece.lines);

test('an empty log has no lines, and neither has what lies beyond the end', async () => {
  const empty = await logOf('');
  const nothing = { from: 0, to: 0, size: 0, lines: [], isComplete: true };
  for (const from of [null, 0, 1, 10 ** 9])
    expect(await readLogPiece(empty, { from }, false)).toEqual(nothing);
  const path = await logOf('one\ntwo\n');
  for (const from of [8, 9, 2 ** 40]) {
    expect(await readLogPiece(path, { from }, false)).toMatchObject({ from: 8, to: 8, size: 8, lines: [] });
  }
  await expect(readLogPiece(`${path}.not`, { from: 0 }, false)).rejects.toMatchObject({
    code: 'experiment_not_found',
  });
});

test('progress lines that return without a new line are lines, without their control sequences', async () => {
  const path = await logOf('\rstep 1\rstep 2\x1b[K\r\n\x1b[31mred\x1b[0m\n\ttab\x07\n');
  expect((await readLogPiece(path, { from: 0 }, false)).lines).toEqual([
    ...['', 'step 1', 'step 2', 'red', '\ttab'],
  ]);
});

test('a piece begins and ends at a line', async () => {
  const path = await logOf('first\nsecond\nthird\n');
  const read = async (from: number, to?: number) => {
    const piece = await readLogPiece(path, { from, to }, false);
    return [piece.from, piece.to, ...piece.lines];
  };
  expect(await read(0)).toEqual([0, 19, 'first', 'second', 'third']);
  expect(await read(3)).toEqual([6, 19, 'second', 'third']);
  expect(await read(6)).toEqual([6, 19, 'second', 'third']);
  expect(await read(0, 13)).toEqual([0, 13, 'first', 'second']);
  expect(await read(0, 16)).toEqual([0, 13, 'first', 'second']);
  expect(await read(6, 6)).toEqual([6, 6]);
  // Asked for nothing, or for less than nothing.
  const [from, to] = await read(13, 4);
  expect(Number(to)).toBeGreaterThanOrEqual(Number(from));
});

test('the pieces of a long log together are its lines, wherever they are cut', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }).map(text => text.replace(/\p{Cc}/gu, '')),
    fc.constant('€'.repeat(3_000)),
    fc.constant('step 1 | loss: 0.5'),
  );
  const ending = fc.constantFrom('\n', '\r', '\r\n');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, ending), { minLength: 5, maxLength: 40 }), async parts => {
      const body = parts.map(([text, end]) => text + end).join('');
      // A `\r` before a `\n` of its own is one line end.
      const content = body.repeat(Math.ceil((2.5 * PIECE) / Buffer.byteLength(body)));
      const path = await logOf(content);
      const pieces = await readForward(path);
      expect(pieces.length).toBeGreaterThan(2);
      expect(linesOf(pieces)).toEqual(content.split(/\r\n|[\r\n]/).slice(0, -1));
    }),
    { numRuns: 15 },
  );
});

test('a line end of two bytes that falls between two pieces is one line end', async () => {
  for (const shift of [0, 1, 2, 3]) {
    const line = 'x'.repeat(1_022);
    const content = `${'y'.repeat(shift)}\r\n${`${line}\r\n`.repeat(600)}`;
    const lines = linesOf(await readForward(await logOf(content)));
    expect(lines).toEqual(['y'.repeat(shift), ...Array(600).fill(line)]);
  }
});

test('a line that is longer than a piece does not stop the reading, and characters stay whole', async () => {
  const content = `before\n${'€'.repeat(PIECE)}\nafter\n`;
  const pieces = await readForward(await logOf(content));
  expect(pieces[0]?.lines.at(0)).toBe('before');
  expect(linesOf(pieces).at(-1)).toBe('after');
  expect(linesOf(pieces).join('')).not.toContain('\uFFFD');
});

test('the end of a log is its last piece, from a whole line on', async () => {
  const content = Array.from({ length: 40_000 }, (_, index) => `line number ${index}\n`).join('');
  const path = await logOf(content);
  const piece = await readLogPiece(path, { from: null }, false);
  expect(piece.to).toBe(piece.size);
  expect(piece.to - piece.from).toBeLessThanOrEqual(PIECE);
  expect(piece.lines[0]).toMatch(/^line number \d+$/);
  expect(piece.lines.at(-1)).toBe('line number 39999');
  // And the piece before it joins it.
  const before = await readLogPiece(path, { from: piece.from - PIECE, to: piece.from }, false);
  expect(before.to).toBe(piece.from);
  expect([...before.lines, ...piece.lines]).toEqual(
    content
      .trimEnd()
      .split('\n')
      .slice(-before.lines.length - piece.lines.length),
  );
});

test('who follows a growing log gets every line once and whole', async () => {
  const path = await logOf('');
  const lines: string[] = [];
  let from = 0;
  const read = async (isLive: boolean) => {
    const piece = await readLogPiece(path, { from }, isLive);
    lines.push(...piece.lines);
    from = piece.to;
    expect(piece.isComplete).toBe(!isLive);
  };
  for (const part of ['fir', 'st\nsec', 'ond', '\nwith a € in', ' it\n\rstep 1', '\rstep 2', '\r\nlast']) {
    for (const bytes of part === '\nwith a € in' ? [part.slice(0, 8), part.slice(8)] : [part]) {
      await appendFile(path, bytes);
      await read(true);
    }
  }
  await read(false);
  expect(lines).toEqual(['first', 'second', 'with a € in it', '', 'step 1', 'step 2', 'last']);
});

test('a search finds every line, across the borders of pieces and whatever its case', async () => {
  const filler = `${'.'.repeat(1_000)}\n`;
  const content = Buffer.from(
    Array.from({ length: 1_500 }, (_, index) => (index % 100 === 7 ? `LOSS ${index} Ünï\r` : filler)).join(
      '',
    ),
  );
  const path = await logOf(content);
  const { hits, isCut } = await searchLog(path, 'loss', undefined);
  expect(isCut).toBe(false);
  expect(hits.map(({ line }) => line)).toEqual(
    Array.from({ length: 15 }, (_, index) => `LOSS ${index * 100 + 7} Ünï`),
  );
  for (const { offset, line } of hits) {
    expect(content.subarray(offset, offset + Buffer.byteLength(line)).toString()).toBe(line);
  }
  expect((await searchLog(path, 'ünÏ', undefined)).hits).toHaveLength(15);
  expect(await searchLog(path, 'nowhere', undefined)).toEqual({ hits: [], isCut: false });
  expect((await searchLog(await logOf('the end'), 'END', undefined)).hits).toEqual([
    { offset: 0, line: 'the end' },
  ]);
});

test('a search finds what lies on the border of two pieces, also in a line without an end', async () => {
  for (const shift of [1, 3, 6]) {
    const content = `${'.'.repeat(PIECE - shift)}needle${'.'.repeat(PIECE)}`;
    expect((await searchLog(await logOf(content), 'needle', undefined)).hits).toHaveLength(1);
    expect((await searchLog(await logOf(`a\n${content}\nb`), 'needle', undefined)).hits).toHaveLength(1);
  }
});

test('a search gives up after a thousand lines, cuts long ones, and stops when nobody wants it', async () => {
  const path = await logOf('hit and more\n'.repeat(1_001));
  expect(await searchLog(path, 'hit', undefined)).toMatchObject({ isCut: true });
  expect((await searchLog(path, 'hit', undefined)).hits).toHaveLength(1_000);
  const exact = await logOf('hit\n'.repeat(1_000));
  expect((await searchLog(exact, 'hit', undefined)).isCut).toBe(false);
  const { hits } = await searchLog(await logOf(`${'x'.repeat(9_000)}hit\n`), 'hit', undefined);
  expect(hits[0]?.line).toHaveLength(400);
  await expect(searchLog(path, 'hit', AbortSignal.abort())).rejects.toThrow(/abort/i);
});

const bytesOf = (pieces: readonly OutputPiece[]) =>
  Buffer.concat(pieces.map(({ data }) => Buffer.from(data, 'base64')));

test('a terminal gets the last quarter of a megabyte, is told what it missed, and ends with the run', async () => {
  const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `${index}\r\n`).join(''));
  const pieces = await collect(Promise.resolve(followOutput(await logOf(content), () => false, undefined)));
  expect(pieces[0]?.skipped).toBe(content.length - PIECE);
  expect(pieces.slice(1).every(({ skipped }) => skipped === 0)).toBe(true);
  expect(bytesOf(pieces).equals(content.subarray(-PIECE))).toBe(true);
  expect(await collect(Promise.resolve(followOutput(await logOf(''), () => false, undefined)))).toEqual([]);
});

test('a terminal that is too far behind goes on near the end, and every byte is shown or counted', async () => {
  const path = await logOf('begin\n');
  let isLive = true;
  const output = followOutput(path, () => isLive, undefined);
  const pieces: OutputPiece[] = [];
  const next = async () => {
    const { value, done } = await output.next();
    if (!done) pieces.push(value);
    return !done;
  };
  await next();
  await appendFile(path, Buffer.alloc(3 * 1024 * 1024, 0x61));
  await next();
  isLive = false;
  while (await next());
  const shown = pieces.reduce((sum, { data }) => sum + Buffer.from(data, 'base64').length, 0);
  const skipped = pieces.reduce((sum, piece) => sum + piece.skipped, 0);
  expect(pieces[1]?.skipped).toBe(3 * 1024 * 1024 - PIECE);
  expect(shown + skipped).toBe(6 + 3 * 1024 * 1024);
});

test('what is written just before the end of a run is still handed on', async () => {
  const path = await logOf('');
  let looks = 0;
  // The run ends between the look whether it lives and the reading.
  const output = followOutput(
    path,
    () => {
      looks += 1;
      return looks < 2;
    },
    undefined,
  );
  const first = output.next();
  await appendFile(path, 'last words');
  expect(bytesOf([(await first).value as OutputPiece]).toString()).toBe('last words');
  expect(await output.next()).toMatchObject({ done: true });
});

test('the output of a run can be followed from the moment its card says that it trains', async () => {
  const { night, desk, study } = await trainingDesk();
  const { calls } = desk;
  const run = { study, n: 1, k: 0 };
  const [followed, piece] = [
    collect(calls.experiments.output(run)),
    calls.experiments.log({ ...run, from: null }),
  ];
  expect(await piece).toMatchObject({ isComplete: false });
  const ended = new AbortController();
  const left = calls.experiments.output(run, { signal: ended.signal }).then(async output => {
    ended.abort();
    return collect(Promise.resolve(output));
  });
  expect(await left).toEqual([]);
  await writeFile(night.gate, '');
  await untilStopped(desk, study);
  const text = bytesOf(await followed).toString();
  expect(text).toContain('step 00002 (100.0%) | loss: 2.123456');
  const log = await calls.experiments.log({ ...run, from: 0 });
  expect(log).toMatchObject({ isComplete: true, size: Buffer.byteLength(text) });
  expect(log.lines).toContain('peak_vram_mb:     45060.2');
  const { hits } = await calls.experiments.searchLog({ ...run, words: 'VAL_BPB' });
  expect(hits).toHaveLength(1);
  expect(text.slice(hits[0]?.offset)).toMatch(/^val_bpb:/);
  expect(await refusalOf(calls.experiments.log({ ...run, k: 7, from: 0 }))).toMatchObject({
    code: 'experiment_not_found',
  });
});
