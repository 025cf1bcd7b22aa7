import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Fields, field, readMessage } from './protobuf-fields.ts';
import type { RecordEnd } from './record-file.ts';
import { readTfRecords } from './tf-record.ts';
import { type RunGatherer, type TrackedRun, wholeTime } from './tracked-run.ts';

/** After this many records, the engine gets a turn. */
const RECORDS_A_TURN = 2_000;

/** Numbers of `tensorflow.DataType`. */
const FLOAT = 1;
const DOUBLE = 2;

/** Of `tensorflow.SessionLog.SessionStatus`. */
const START = 1;

/** `events.out.tfevents.<time>.<host>…` */
export function isEventFileName(name: string): boolean {
  return /(?:^|\.)tfevents\./.test(name);
}

/**
 * A run from its event files, oldest first: TFRecords of `tensorflow.Event` messages. Reads scalars, whether written
 * as scalars or as tensors; skips images, histograms and graphs.
 */
export async function readTensorboardRun(
  files: AsyncIterable<Buffer>,
  name: string,
  gatherer: RunGatherer,
): Promise<{ readonly run: TrackedRun; readonly end: RecordEnd }> {
  let start: number | null = null;
  let last: number | null = null;
  const end = { isCut: false, broken: 0 };
  for await (const file of files) {
    let count = 0;
    const records = readTfRecords(file);
    let next = records.next();
    for (; !next.done; next = records.next()) {
      count += 1;
      if (count % RECORDS_A_TURN === 0) await nextTurn();
      try {
        const { time, step, values, isRestart } = readEvent(next.value);
        if (isRestart) gatherer.forgetFrom(step);
        if (!(time > 0)) continue;
        start = start === null ? time : Math.min(start, time);
        last = last === null ? time : Math.max(last, time);
        gatherer.add(time, step, values);
      } catch {
        end.broken += 1;
      }
    }
    end.isCut ||= next.value.isCut;
    end.broken += next.value.broken;
  }
  const began = start ?? 0;
  return {
    end,
    run: {
      name,
      status: null,
      exitCode: null,
      startedAt: wholeTime(start === null ? null : start * 1000),
      endedAt: wholeTime(last === null ? null : last * 1000),
      settings: gatherer.settings,
      summary: gatherer.summary,
      points: gatherer.points().map(point => ({ ...point, seconds: Math.max(0, point.seconds - began) })),
      commit: null,
    },
  };
}

/**
 * `tensorflow.Event`: wall time in seconds, step, a summary of values by tag, and whether a session begins here: it
 * replaces what an earlier one wrote from this step on, as in TensorBoard's own `EventAccumulator`.
 */
function readEvent(bytes: Uint8Array) {
  const event = { time: 0, step: 0, values: [] as (readonly [string, number])[], isRestart: false };
  readMessage(bytes, {
    1: field.double(time => {
      event.time = time;
    }),
    2: field.integer(step => {
      event.step = step;
    }),
    5: field.message(() => ({
      1: field.bytes(value => {
        const found = readValue(value);
        if (found) event.values.push(found);
      }),
    })),
    7: field.message(() => ({
      1: field.integer(status => {
        event.isRestart = status === START;
      }),
    })),
  });
  return event;
}

/** `tensorflow.Summary.Value`; null unless it is one number. */
function readValue(bytes: Uint8Array): readonly [string, number] | null {
  const found = { tag: '', value: null as number | null };
  readMessage(bytes, {
    1: field.text(tag => {
      found.tag = tag;
    }),
    2: field.float(value => {
      found.value = value;
    }),
    8: field.bytes(tensor => {
      found.value ??= readScalar(tensor);
    }),
  });
  return found.value === null ? null : [found.tag, found.value];
}

/** `tensorflow.TensorProto` without dimensions, of floats or doubles. */
function readScalar(bytes: Uint8Array): number | null {
  const tensor = { type: 0, isScalar: true, value: null as number | null };
  const fields: Fields = {
    1: field.integer(type => {
      tensor.type = type;
    }),
    2: field.bytes(shape => {
      tensor.isScalar = shape.length === 0;
    }),
    4: field.bytes(content => {
      const view = Buffer.from(content);
      if (tensor.type === FLOAT && view.length === 4) tensor.value = view.readFloatLE();
      if (tensor.type === DOUBLE && view.length === 8) tensor.value = view.readDoubleLE();
    }),
    // Repeated numbers are packed.
    5: field.bytes(packed => {
      if (packed.length === 4) tensor.value = Buffer.from(packed).readFloatLE();
    }),
    6: field.bytes(packed => {
      if (packed.length === 8) tensor.value = Buffer.from(packed).readDoubleLE();
    }),
  };
  readMessage(bytes, fields);
  return tensor.isScalar ? tensor.value : null;
}
