import { parsePythonJson } from '../../metrics/python-json.ts';
import { numbersOf } from './json-numbers.ts';
import { type Fields, field, readMessage } from './protobuf-fields.ts';
import type { RecordEnd } from './record-file.ts';
import { readRecordMessages } from './record-messages.ts';
import { type RunGatherer, type TrackedRun, wholeTime } from './tracked-run.ts';

/** `:W&B`, the magic number 0xBEE1 (little-endian) and the format's version. */
const HEADER = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe]);
const HEADER_BYTES = 7;

type Item = { readonly path: readonly string[]; readonly value: string };

/** In `wandb_internal.proto`, `HistoryItem`, `SummaryItem` and `ConfigItem` have the same field numbers. */
function readItem(bytes: Uint8Array): Item {
  const item = { key: '', value: '', nested: [] as string[] };
  readMessage(bytes, {
    1: field.text(key => {
      item.key = key;
    }),
    2: field.text(part => item.nested.push(part)),
    16: field.text(json => {
      item.value = json;
    }),
  });
  return { path: item.nested.length > 0 ? item.nested : [item.key], value: item.value };
}

/** The numbers of a record by name. A picture or a table comes as several items, one of them its `_type`. */
function numbersIn(items: readonly Item[]): Map<string, number> {
  const media = items.flatMap(({ path }) =>
    path.length > 1 && path.at(-1) === '_type' ? [path.slice(0, -1)] : [],
  );
  const values = items.filter(
    ({ path }) => !media.some(outer => outer.every((part, index) => path[index] === part)),
  );
  return new Map(values.flatMap(({ path, value }) => [...numbersOf(path.join('.'), parsed(value))]));
}

export function isWandbFile(head: Buffer): boolean {
  return head.subarray(0, HEADER.length).equals(HEADER);
}

export type WandbRun = { readonly run: TrackedRun; readonly end: RecordEnd };

/**
 * A run that Weights & Biases logged offline (`run-*.wandb`): a log of `Record` messages. Null if the file is not
 * one.
 * @param fallbackName used if the run has no name yet
 */
export async function readWandbRun(
  file: Buffer,
  fallbackName: string,
  gatherer: RunGatherer,
): Promise<WandbRun | null> {
  if (!isWandbFile(file)) return null;
  const run = { name: '', id: '', startedAt: null as number | null, runtime: 0 };
  let commit: string | null = null;
  let exitCode: number | null = null;
  const addConfig = (bytes: Uint8Array) =>
    readMessage(bytes, {
      1: field.bytes(item => {
        const { path, value } = readItem(item);
        const name = path.join('.');
        if (!name.startsWith('_')) gatherer.setting(name, plain(value));
      }),
    });
  const fields: Fields = {
    2: field.bytes(bytes => {
      const { seconds, step, values } = readHistory(bytes, run.startedAt);
      run.runtime = Math.max(run.runtime, seconds);
      gatherer.add(seconds, step, values);
    }),
    3: field.bytes(bytes => {
      const items: Item[] = [];
      readMessage(bytes, {
        1: field.bytes(item => items.push(readItem(item))),
        2: field.bytes(item => gatherer.summary.delete(readItem(item).path.join('.'))),
      });
      for (const [name, value] of numbersIn(items))
        if (!name.startsWith('_')) gatherer.summary.set(name, value);
    }),
    5: field.bytes(addConfig),
    17: field.message(() => ({
      1: field.text(id => {
        run.id = id;
      }),
      4: field.bytes(addConfig),
      8: field.text(name => {
        run.name = name;
      }),
      17: field.message(() => ({
        1: field.integer(seconds => {
          run.startedAt = seconds * 1000;
        }),
      })),
      21: field.message(() => ({
        2: field.text(name => {
          commit = /^[0-9a-f]{7,64}$/.test(name) ? name : null;
        }),
      })),
    })),
    18: field.message(() => ({
      // Protobuf does not write zeros.
      1: field.integer(code => {
        exitCode = code;
      }),
    })),
  };
  const end = await readRecordMessages(file, HEADER_BYTES, message => {
    if (hasField(message, 18)) exitCode ??= 0;
    readMessage(message, fields);
  });
  return { run: finish(run, gatherer, exitCode, commit, fallbackName), end };
}

function hasField(bytes: Uint8Array, number: number): boolean {
  let isThere = false;
  readMessage(bytes, {
    [number]: field.bytes(() => {
      isThere = true;
    }),
  });
  return isThere;
}

function finish(
  run: {
    readonly name: string;
    readonly id: string;
    readonly startedAt: number | null;
    readonly runtime: number;
  },
  gatherer: RunGatherer,
  exitCode: number | null,
  commit: string | null,
  fallbackName: string,
): TrackedRun {
  return {
    name: run.name || run.id || fallbackName,
    status: exitCode === null ? 'unfinished' : exitCode === 0 ? 'finished' : 'failed',
    exitCode,
    startedAt: wholeTime(run.startedAt),
    endedAt: wholeTime(run.startedAt === null ? null : run.startedAt + run.runtime * 1000),
    settings: gatherer.settings,
    summary: gatherer.summary,
    points: gatherer.points(),
    commit,
  };
}

/** One `wandb.log`: numbers by name, `_step`, `_runtime` in seconds and `_timestamp` among them. */
function readHistory(bytes: Uint8Array, startedAt: number | null) {
  const items: Item[] = [];
  let step: number | null = null;
  readMessage(bytes, {
    1: field.bytes(item => items.push(readItem(item))),
    2: field.message(() => ({
      1: field.integer(number => {
        step = number;
      }),
    })),
  });
  const values = numbersIn(items);
  const timestamp = values.get('_timestamp');
  const seconds =
    values.get('_runtime') ??
    (timestamp !== undefined && startedAt !== null ? timestamp - startedAt / 1000 : 0);
  step = values.get('_step') ?? step;
  const own = [...values].filter(([name]) => !name.startsWith('_'));
  return { seconds: Math.max(0, seconds), step, values: own };
}

function parsed(json: string): unknown {
  try {
    return parsePythonJson(json);
  } catch {
    return null;
  }
}

function plain(json: string): string {
  const text = json.trim();
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
