import { isMap, parseDocument } from 'yaml';
import { jsonText } from '../json-text.ts';
import { type Fields, field, readMessage } from './protobuf-fields.ts';
import type { RecordEnd } from './record-file.ts';
import { readRecordMessages } from './record-messages.ts';
import { type RunGatherer, type TrackedRun, wholeTime } from './tracked-run.ts';

/** `:SWL`, the magic number 0xE1D6 (little-endian) and the format's version; versions read no other's files. */
const HEADER = Buffer.from([0x3a, 0x53, 0x57, 0x4c, 0xd6, 0xe1, 2]);
/** SwanLab's own names, those of measurements of the machine. */
const OWN = '__swanlab__';

/** SwanLab's `RunState`; protobuf does not write the first. */
const STATES = ['running', 'finished', 'crashed', 'aborted'] as const;

export function isSwanlabFile(head: Buffer): boolean {
  return head.subarray(0, HEADER.length).equals(HEADER);
}

/**
 * A run that SwanLab logged offline (`run-*.swanlab`): a log of `Record` messages.
 * @param config the text of the run's `files/config.yaml`
 */
export async function readSwanlabRun(
  file: Buffer,
  config: string,
  gatherer: RunGatherer,
): Promise<{ readonly run: TrackedRun; readonly end: RecordEnd }> {
  let name = '';
  let id = '';
  let state: number | null = null;
  let startedAt: number | null = null;
  let endedAt: number | null = null;
  const fields: Fields = {
    2: timestamp(ms => {
      startedAt ??= ms;
      endedAt = ms;
    }),
    10: field.message(() => ({
      4: field.text(text => {
        name = text;
      }),
      10: field.text(text => {
        id = text;
      }),
    })),
    11: field.message(() => ({
      1: field.integer(number => {
        state = number;
      }),
    })),
    13: field.bytes(bytes => {
      const { key, step, ms, value } = readScalar(bytes);
      const seconds = startedAt === null || ms === null ? 0 : Math.max(0, ms - startedAt) / 1000;
      if (!key.startsWith(OWN)) gatherer.add(seconds, step, [[key, value]]);
    }),
  };
  const end = await readRecordMessages(file, HEADER.length, message => readMessage(message, fields));
  for (const [key, value] of settingsIn(config)) gatherer.setting(key, value);
  return {
    run: {
      name: name || id,
      status: state === null ? 'unfinished' : (STATES[state] ?? null),
      exitCode: null,
      startedAt: wholeTime(startedAt),
      endedAt: wholeTime(endedAt),
      settings: gatherer.settings,
      summary: gatherer.summary,
      points: gatherer.points(),
      commit: null,
    },
    end,
  };
}

/** Protobuf does not write zeros. */
function readScalar(bytes: Uint8Array) {
  const scalar = { key: '', step: 0, ms: null as number | null, value: 0 };
  readMessage(bytes, {
    1: field.text(key => {
      scalar.key = key;
    }),
    2: field.integer(step => {
      scalar.step = step;
    }),
    4: timestamp(ms => {
      scalar.ms = ms;
    }),
    5: field.message(() => ({
      1: field.double(value => {
        scalar.value = value;
      }),
    })),
  });
  return scalar;
}

function timestamp(take: (ms: number) => void) {
  return field.bytes(bytes => {
    const parts = { seconds: 0, nanos: 0 };
    readMessage(bytes, {
      1: field.integer(seconds => {
        parts.seconds = seconds;
      }),
      2: field.integer(nanos => {
        parts.nanos = nanos;
      }),
    });
    take(parts.seconds * 1000 + parts.nanos / 1e6);
  });
}

/** Each setting is a map with its `value`. A text that is no such map has none. */
function* settingsIn(config: string): Generator<readonly [string, string]> {
  const document = parseDocument(config);
  if (document.errors.length > 0 || !isMap(document.contents)) return;
  for (const [key, setting] of Object.entries(plain(document))) yield [key, jsonText(setting?.value) ?? ''];
}

type Settings = Readonly<Record<string, { readonly value?: unknown } | null>>;

function plain(document: ReturnType<typeof parseDocument>): Settings {
  try {
    return document.toJS();
  } catch {
    // Aliases that would grow without bound.
    return {};
  }
}
