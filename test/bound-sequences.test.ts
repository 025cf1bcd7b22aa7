import { Terminal } from '@xterm/xterm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_MODE, MAX_NUMBER, SequenceBounds } from '../src/renderer/viewers/bound-sequences.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** What becomes of the pieces, one after the other. */
function bound(...pieces: readonly (string | Uint8Array)[]): string {
  const bounds = new SequenceBounds();
  return pieces.map(piece => bounds.push(typeof piece === 'string' ? encode(piece) : piece).text).join('');
}

/** Output as nobody would print it: what begins, continues, ends and breaks off sequences, in any order. */
const soup = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\x1b[', '\x9b', '\x1bP', '\x90', '\x1b]', '\x1b', '[') },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 99_999 }).map(String) },
      fc.constantFrom(...';:;:?><= $!\'"'),
      fc.constantFrom('\n', '\r', '\0', '\x7f', '\x18', '\x1a', '\x07', '\x9c', '\x84', '\x1b\\'),
      fc.constantFrom('m', 'b', 'S', 'T', 'L', 'h', 'H', 'q', 'x', 'é', '▕', '😀'),
    ),
    { maxLength: 24 },
  )
  .map(parts => parts.join(''));

test('a number that counts is bounded in every form of a sequence', () => {
  for (const [given, passed] of [
    ['\x1b[99999b', `\x1b[${MAX_NUMBER}b`],
    ['\x9b99999S', `\x9b${MAX_NUMBER}S`],
    ['\x1b[1;99999;2H', `\x1b[1;${MAX_NUMBER};2H`],
    ['\x1b[4:99999m', `\x1b[4:${MAX_NUMBER}m`],
    ["\x1b[99999'}", `\x1b[${MAX_NUMBER}'}`],
    ['\x1bP99999;1q', `\x1bP${MAX_NUMBER};1q`],
    ['\x9099999q', `\x90${MAX_NUMBER}q`],
    ['\x1b[000099999X', `\x1b[0000${MAX_NUMBER}X`],
    ['\x1b[?99999h', `\x1b[?${MAX_MODE}h`],
    // xterm obeys the line feed, takes no notice of the DEL, and goes on with the number.
    ['\x1b[99\n999b', `\x1b[\n${MAX_NUMBER}b`],
    ['\x1b\n[99\x7f999b', `\x1b\n[\x7f${MAX_NUMBER}b`],
    ['\x1b[3\x1b[99999b', `\x1b[3\x1b[${MAX_NUMBER}b`],
    ['\x1b]0;title\x1b[99999b', `\x1b]0;title\x1b[${MAX_NUMBER}b`],
  ] as const) {
    expect(bound(given)).toBe(passed);
  }
});

test('what terminals are really told passes as it is', () => {
  for (const text of [
    '\x1b[0m\x1b[38;5;255m\x1b[48;2;255;255;255m\x1b[58:2::12:200:255m\x1b[m',
    '\x1b[?1049h\x1b[?2004l\x1b[?2026h\x1b[?9001l\x1b[>4;2m\x1b[22;0t\x1b[23;0t',
    '\x1b[200G\x1b[50;200H\x1b[2K\x1b[007C\x1b[4 q\x1b[!p\x1b(B\x1b7\x1b8\x1b#8',
    '\x1b]8;id=123456789;file:///99999\x1b\\link\x1b]8;;\x07\x1bP+q544e\x1b\\',
    'loss 0.123456789012345678901234567890 at step 99999999',
    '\x1b[1m99999999\x1b[0m [99999999b',
  ]) {
    expect(bound(text)).toBe(text);
  }
});

test('text without control sequences passes unchanged, and bytes that are none stand as in the log', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), text => {
      fc.pre(!/[\x1b\x90\x9b]/.test(text));
      expect(bound(text)).toBe(text);
    }),
  );
  expect(bound(Uint8Array.of(0x61, 0xff, 0x62), '\ufeffc')).toBe('a\ufffdb\ufeffc');
  // 0x9b alone is no character in UTF-8, and begins no sequence.
  expect(bound(Uint8Array.of(0x9b), '99999b')).toBe('\ufffd99999b');
});

test('pieces of any size come to the same as the whole', () => {
  fc.assert(
    fc.property(soup, fc.array(fc.nat(80), { maxLength: 8 }), (text, places) => {
      const bytes = encode(text);
      const cuts = [...places].sort((a, b) => a - b);
      const pieces = [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
      expect(bound(...pieces)).toBe(bound(bytes));
      expect(bound(...[...bytes].map(byte => Uint8Array.of(byte)))).toBe(bound(bytes));
    }),
    { numRuns: 1_000 },
  );
});

test('bounding what is bounded changes nothing', () => {
  fc.assert(
    fc.property(soup, text => {
      expect(bound(bound(text))).toBe(bound(text));
    }),
    { numRuns: 1_000 },
  );
});

/** The numbers xterm would act on; nothing acts on them here. */
async function numbersOf(text: string): Promise<readonly (readonly [string, number])[]> {
  const terminal = new Terminal({ allowProposedApi: true, logLevel: 'off' });
  const numbers: (readonly [string, number])[] = [];
  for (const prefix of ['', '?', '>']) {
    for (const final of 'mbSTLhHqx') {
      const name = prefix + final;
      terminal.parser.registerCsiHandler({ ...(prefix === '' ? {} : { prefix }), final }, parameters => {
        for (const number of parameters.flat()) numbers.push([name, number]);
        return true;
      });
    }
  }
  await new Promise<void>(resolve => terminal.write(text, resolve));
  terminal.dispose();
  return numbers;
}

test('xterm reads the same sequences with the same numbers, those above the bound at the bound', async () => {
  await fc.assert(
    fc.asyncProperty(soup, async text => {
      const limit = (name: string) => (name.length > 1 ? MAX_MODE : MAX_NUMBER);
      const read = await numbersOf(text);
      expect(await numbersOf(bound(text))).toEqual(
        read.map(([name, number]) => [name, Math.min(number, limit(name))]),
      );
    }),
    { numRuns: 500 },
  );
});

test('a sequence without end is held in one number, and read in time that grows with its length', () => {
  const bounds = new SequenceBounds();
  const piece = encode(`${'9'.repeat(32_768)};${':'.repeat(32_767)}`);
  bounds.push(encode('\x1b['));
  for (let count = 0; count < 32; count += 1) {
    expect(bounds.push(piece).text.length).toBeLessThanOrEqual(piece.length);
  }
  expect(bounds.push(encode('9'.repeat(100))).text).toBe('');
  expect(bounds.push(encode('b')).text).toBe(`${MAX_NUMBER}b`);
});

test('lines that are moved are counted, with one for a sequence that names none', () => {
  const bounds = new SequenceBounds();
  expect(bounds.push(encode('\x1b[3S\x1b[L\x1b[99999T\x1b[9m\x1b[9A\x9b0M S')).lines).toBe(5 + MAX_NUMBER);
});
