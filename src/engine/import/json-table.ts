import type { Skipped } from '../../shared/imports.ts';
import { parsePythonJson } from '../metrics/python-json.ts';
import { goalInWords } from './choose-goal.ts';
import { jsonText } from './json-text.ts';
import {
  byLine,
  MAX_COLUMNS,
  MAX_ROWS,
  type RawRow,
  type RawTable,
  refuseTooManyCells,
} from './raw-table.ts';

/** Objects nested deeper than this stay text. */
const MAX_DEPTH = 3;
const MAX_NAME_CHARACTERS = 200;
/** Lines of these types are about the log itself. */
const NO_ROWS = new Set(['hook', 'header', 'meta', 'metadata', 'session', 'event', 'comment']);

type Fields = Map<string, string>;

/** What a line of type `config` says about the rows up to the next one, as pi-autoresearch and its relatives write it. */
type Segment = { readonly metricName: string | null; readonly goal: 'minimize' | 'maximize' | null };

/** Reads one object per line, or one array of objects. Null if it is neither. */
export function readJsonTable(text: string, wanted: string | null): RawTable | null {
  const start = text.trimStart()[0];
  if (start !== '{' && start !== '[') return null;
  const whole = parse(text);
  const list = Array.isArray(whole) ? whole : arrayIn(whole);
  const skipped: Skipped[] = [];
  const objects: { readonly line: number; readonly value: Record<string, unknown> }[] = [];
  const add = (line: number, value: unknown) => {
    if (isObject(value)) objects.push({ line, value });
    else skipped.push({ line, reason: 'is not a JSON object.' });
  };
  if (list) for (const [index, value] of list.entries()) add(index + 1, value);
  else {
    for (const [index, line] of text.split('\n').entries())
      if (line.trim() !== '') add(index + 1, parse(line));
  }
  return objects.length === 0 ? null : tableOf(objects, skipped, wanted);
}

function tableOf(
  objects: readonly { readonly line: number; readonly value: Record<string, unknown> }[],
  skipped: Skipped[],
  wanted: string | null,
): RawTable {
  const segments: Segment[] = [];
  const found: { readonly line: number; readonly fields: Fields; readonly segment: number }[] = [];
  const known = new Set<string>();
  for (const { line, value } of objects) {
    if (value.type === 'config') segments.push(segmentOf(value));
    else if (typeof value.type === 'string' && NO_ROWS.has(value.type)) continue;
    else if (found.length < MAX_ROWS) {
      // Some logs name the metric in every row.
      const own = segmentOf(value);
      if (own.metricName !== null) segments.push(own);
      const fields: Fields = new Map();
      if (!flatten(value, '', 0, fields)) {
        skipped.push({ line, reason: 'is nested too deep.' });
        continue;
      }
      for (const name of fields.keys()) if (known.size < MAX_COLUMNS) known.add(name);
      refuseTooManyCells(found.length + 1, known.size);
      found.push({ line, fields, segment: segments.length - 1 });
    } else skipped.push({ line, reason: `comes after ${MAX_ROWS} rows.` });
  }
  const columns = [...known];
  const { names, goal, isOf } = chooseSegments(segments, wanted);
  const rows: RawRow[] = [];
  for (const { line, fields, segment } of found) {
    if (isOf(segment)) {
      rows.push({ line, fields: columns.map(column => fields.get(column) ?? ''), count: fields.size });
    } else skipped.push({ line, reason: `measures ${segments[segment]?.metricName ?? 'another metric'}.` });
  }
  return {
    columns,
    headingLine: 1,
    rows,
    skipped: skipped.sort(byLine),
    told: { comments: [], metricNames: names, goal, verdictColumn: null },
  };
}

/** Segments of one metric belong together. If a log has several metrics, only the rows of the wanted one are kept. */
function chooseSegments(segments: readonly Segment[], wanted: string | null) {
  const names = [...new Set(segments.flatMap(({ metricName }) => metricName ?? []))];
  const [name] = names.length === 1 ? names : names.filter(other => other === wanted);
  if (name === undefined) return { names, goal: null, isOf: () => true };
  const goals = new Set(segments.flatMap(({ metricName, goal }) => (metricName === name ? goal : [])));
  const [goal = null] = goals;
  return {
    names: [name],
    goal: goals.size === 1 ? goal : null,
    // Rows before the first configuration may be of any metric.
    isOf: (segment: number) => names.length === 1 || segments[segment]?.metricName === name,
  };
}

function segmentOf(value: Record<string, unknown>): Segment {
  const name = value.metricName ?? value.metric_name;
  const direction = value.bestDirection ?? value.best_direction ?? value.direction;
  return {
    metricName: typeof name === 'string' && name !== '' ? name.slice(0, 64) : null,
    goal: typeof direction === 'string' ? goalInWords(`direction: ${direction}`) : null,
  };
}

/** Turns `{ "metrics": { "loss": 1 } }` into the field `metrics.loss`. False if a value is nested too deep to be text. */
function flatten(value: Record<string, unknown>, prefix: string, depth: number, fields: Fields): boolean {
  for (const [key, inner] of Object.entries(value)) {
    if (fields.size >= MAX_COLUMNS) return true;
    const name = `${prefix}${key}`.slice(0, MAX_NAME_CHARACTERS);
    if (isObject(inner) && depth < MAX_DEPTH) {
      if (!flatten(inner, `${name}.`, depth + 1, fields)) return false;
      continue;
    }
    const text = jsonText(inner);
    if (text === null) return false;
    fields.set(name, text);
  }
  return true;
}

/** The only array of objects in an object: `{ "experiments": [ … ] }`. */
function arrayIn(value: unknown): readonly unknown[] | null {
  if (!isObject(value)) return null;
  const arrays = Object.values(value).filter(
    (inner): inner is unknown[] => Array.isArray(inner) && inner.length > 0 && inner.every(isObject),
  );
  return arrays.length === 1 ? (arrays[0] ?? null) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return parsePythonJson(text);
  } catch {
    return undefined;
  }
}
