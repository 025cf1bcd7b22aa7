import { expect, test } from 'vitest';
import { expectRefusal, python, score, startScoring } from './support/scoring.ts';

/** The stream between a scorer and a model program: what passes, and that a scorer survives whatever else comes. */

const ASK = `import pawl_score
answer = pawl_score.model().ask(b'abc', expected=[(('float32', 'float64'), (2, 3))])
pawl_score.report(got=1)`;

/** A model program that writes bytes of its own in the place of an answer. */
const writes = (bytes: string): string => `
import json, os, socket, struct, pawl_frames
def framed(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('>I', len(text)) + text
def arrays(*described):
    return framed({'arrays': list(described)})
def kind(dtype, shape):
    return {'dtype': dtype, 'shape': shape}
stream = socket.socket(fileno=int(os.environ['PAWL_MODEL_FDS'].split(',')[0]))
stream.setblocking(True)
pawl_frames.receive(stream)
try:
    stream.sendall(${bytes})
except OSError:
    pass`;

test('an answer of the form that is asked for is taken', async () => {
  const bytes = "arrays(kind('float32', [2, 3])) + bytes(24)";
  expect((await score(ASK, writes(bytes))).score).toEqual({ got: 1 });
});

test.each([
  ['ends at once', "b''", /gave no answer: it ended\.|ended before it answered \(/],
  ['ends within the length', "b'\\0\\0'", /it ended after 2 of 4 bytes/],
  ['ends within the header', "b'\\0\\0\\0\\x20{'", /it ended after 1 of 32 bytes/],
  ['ends within the numbers', "arrays(kind('float32', [2, 3])) + bytes(23)", /it ended after 23 of 24 bytes/],
  ['announces a header of 4 GiB', "b'\\xff' * 5_000_000", /a header of 4,294,967,295 bytes is none/],
  ['announces a header of nothing', 'bytes(4)', /a header of 0 bytes is none/],
  ['sends no JSON', "framed(b'pickle')", /the header is no JSON/],
  ['sends no text', "framed(b'\\xff\\xfe\\xfd')", /the header is no JSON/],
  ['sends lists without an end', "framed(b'[' * 65_000)", /the header is no JSON/],
  ['sends a number without an end', "framed(b'9' * 65_000)", /the header (is no JSON|lists no arrays)/],
  ['sends a list', 'framed([])', /the header lists no arrays/],
  ['names no arrays', "framed({'arrays': 7})", /the header lists no arrays/],
  ['sends too many arrays', "arrays(*[kind('int8', [1])] * 65)", /or more than 64/],
  ['sends another number of arrays', 'arrays()', /0 arrays in place of 1/],
  ['describes an array by a number', 'arrays(7)', /a dtype that is none of/],
  ['sends objects', "arrays(kind('object', [2, 3]))", /a dtype that is none of/],
  ['names a dtype by a list', 'arrays(kind([], [2, 3]))', /a dtype that is none of/],
  ['sends a shape below 0', "arrays(kind('float32', [-2, -3]))", /a shape that is no list/],
  ['sends an empty shape', "arrays(kind('float32', [0, 3]))", /a shape that is no list/],
  ['sends a shape of truth values', "arrays(kind('float32', [True, 3]))", /a shape that is no list/],
  ['sends a shape of no numbers', "arrays(kind('float32', [float('nan'), 3]))", /a shape that is no list/],
  ['sends a shape of too many dimensions', "arrays(kind('float32', [1] * 9))", /a shape that is no list/],
  ['announces a huge array', "arrays(kind('float64', [2**27 + 1]))", /larger than 1,073,741,824 bytes/],
  ['announces more than can be', "arrays(kind('float64', [10**100] * 8))", /larger than 1,073,741,824 bytes/],
  ['announces many large arrays', "arrays(*[kind('int8', [2**29])] * 3)", /larger than 1,073,741,824 bytes/],
  ['sends another shape', "arrays(kind('float32', [3, 2]))", /the shape \[3, 2\] in place of \[2, 3\]/],
  ['sends whole numbers', "arrays(kind('int32', [2, 3]))", /int32 in place of float32 or float64/],
  [
    'says what looks like a result',
    "framed({'error': '\\x1b[2Jbad\\nval_bpb: 0.1'})",
    /it says "\\u001b\[2Jbad\\nval_bpb/,
  ],
  ['says too much', "framed({'error': 'a' * 60_000})", /^.{0,360}\.\n$/],
])('a model program that %s has no score', async (_, bytes, sentence) => {
  expectRefusal(await score(ASK, writes(bytes)), sentence);
});

test('a model program that is silent has no score when it is ended', async () => {
  const silent = `${writes("b'\\0'")}\nimport signal\nprint('asked', flush=True)\nsignal.pause()`;
  const scoring = startScoring(python(ASK), python(silent));
  await new Promise(resolve => scoring.model?.stdout?.once('data', resolve));
  scoring.model?.kill('SIGKILL');
  expectRefusal(await scoring.ended, /^The model program gave no answer: it ended after 1 of 4 bytes\.$/m);
});

test('a model program that fails says why, and shows where', async () => {
  const model = 'import pawl_score\npawl_score.serve(lambda inputs: [1.0, "none"])';
  const scored = await score(ASK, model);
  expectRefusal(scored, /gave no answer: it says "ValueError: a list holds numbers beside what is none"\./);
  expect(scored.model).toMatchObject({ code: 1, stderr: expect.stringContaining('Traceback') });
});

test('large arrays come back whole', async () => {
  const asking = `import os, pawl_score
sent = os.urandom(20_000_000)
pawl_score.report(same=int(pawl_score.model().ask(sent).data == sent))`;
  expect((await score(asking, 'import pawl_score\npawl_score.serve(lambda inputs: inputs)')).score).toEqual({
    same: 1,
  });
});
