import { z } from 'zod';
import { matchEditable, matchPaths } from '../src/engine/contract/editable.ts';
import type { FoundRepository, FoundTable } from './read-answers.ts';

const goal = z.enum(['minimize', 'maximize']).nullable();
const count = z.int().nonnegative().nullable();
/** Facts that a careful reader could not determine either: asking for them is right. */
const unclear = z.array(z.string());

/** A reader's judgement of a repository; null and an empty list mean "cannot be determined". */
export const expectedRepositorySchema = z.object({
  metric: z.string().nullable(),
  goal,
  editable: z.array(z.string()),
  /** Patterns of files that must not change; null for every file that is not editable. */
  locked: z.array(z.string()).nullable(),
  train: z.string().nullable(),
  unclear,
  notes: z.string(),
});

/** A reader's judgement of a table; a null count was not judged. */
export const expectedTableSchema = z.object({
  metric: z.string().nullable(),
  goal,
  rows: count,
  keep: count,
  discard: count,
  crash: count,
  best: z.number().nullable(),
  unclear,
  notes: z.string(),
});

export type ExpectedRepository = z.infer<typeof expectedRepositorySchema>;
export type ExpectedTable = z.infer<typeof expectedTableSchema>;

/** The largest number of paths in a message. */
const LISTED = 3;

/** How a contract that was accepted without questions differs from the reader's; empty if it does not. */
export function wrongInRepository(found: FoundRepository, expected: ExpectedRepository): readonly string[] {
  const wrong = [...wrongInMetric(found, expected)];
  const isUnclear = expected.unclear.includes('editable');
  if (expected.editable.length > 0 && !isUnclear) {
    // Without files that no contract can open, such as those in `.github`.
    const isEditable = matchEditable(expected.editable.map(openFolder));
    const open = new Set(found.editable);
    const more = found.editable.filter(path => !isEditable(path));
    const less = found.tracked.filter(path => isEditable(path) && !open.has(path));
    if (more.length > 0) wrong.push(`may change ${list(more)}, which must not`);
    if (less.length > 0) wrong.push(`may not change ${list(less)}, which should`);
  } else if (expected.editable.length === 0 && isUnclear && found.editable.length > 0) {
    wrong.push(`may change ${list(found.editable)}, which nothing says`);
  }
  if (expected.locked) {
    const isLocked = matchPaths(expected.locked.map(openFolder));
    const open = found.editable.filter(path => isLocked(path));
    if (open.length > 0) wrong.push(`may change ${list(open)}, which is locked`);
  }
  return wrong;
}

/**
 * The command that the baseline would run instead of the reader's; null if it is the same. Such a fault is not
 * silent: the baseline shows it.
 */
export function otherCommand(found: FoundRepository, { train, unclear }: ExpectedRepository): string | null {
  if (train === null) return unclear.includes('train') ? `runs ${found.train}, which nothing says` : null;
  if (unclear.includes('train') || plainCommand(found.train) === plainCommand(train)) return null;
  return `runs ${found.train}, where it is ${train}`;
}

/** How a table that was accepted without questions differs from the reader's; empty if it does not. */
export function wrongInTable(found: FoundTable, expected: ExpectedTable): readonly string[] {
  const wrong = [...wrongInMetric(found, expected)];
  if (wrong.length > 0) return wrong;
  const { rows } = expected;
  if (rows !== null && (found.rows > rows || found.rows + found.skipped < rows)) {
    wrong.push(`${found.rows} rows and ${found.skipped} skipped, where there are ${rows}`);
  }
  for (const word of ['keep', 'discard', 'crash'] as const) {
    const judged = expected[word];
    if (judged !== null && found.skipped === 0 && found[word] !== judged) {
      wrong.push(`${found[word]} ${word}, where there are ${judged}`);
    }
  }
  if (expected.best !== null && found.best !== expected.best) {
    wrong.push(`best ${found.best}, where it is ${expected.best}`);
  }
  return wrong;
}

/** A metric that no reader could determine must not be reported either. */
function wrongInMetric(
  found: Pick<FoundRepository, 'metric' | 'goal'>,
  expected: Pick<ExpectedRepository, 'metric' | 'goal' | 'unclear'>,
): readonly string[] {
  const wrong: string[] = [];
  for (const key of ['metric', 'goal'] as const) {
    const judged = expected[key];
    const isUnclear = expected.unclear.includes(key);
    if (judged === null) {
      if (isUnclear) wrong.push(`${key} ${found[key]}, which nothing says`);
    } else if (!isUnclear && found[key] !== judged) {
      wrong.push(`${key} ${found[key]}, where it is ${judged}`);
    }
  }
  return wrong;
}

function openFolder(pattern: string): string {
  return pattern.endsWith('/') ? `${pattern}**` : pattern;
}

function plainCommand(command: string): string {
  return command
    .trim()
    .replace(/^(?:bash|sh) +/, '')
    .replace(/^\.\//, '')
    .replace(/\s+/g, ' ');
}

function list(paths: readonly string[]): string {
  const shown = paths.slice(0, LISTED).join(', ');
  return paths.length > LISTED ? `${shown} and ${paths.length - LISTED} more` : shown;
}
