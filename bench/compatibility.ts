import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { z } from 'zod';
import {
  type ExpectedTable,
  expectedRepositorySchema,
  expectedTableSchema,
  otherCommand,
  wrongInRepository,
  wrongInTable,
} from './judge-answers.ts';
import { type Answer, answerForRepository, answerForTable } from './read-answers.ts';
import { type Line, printTable } from './report.ts';

/** How many levels below the folder to look for repositories and tables. */
const MAX_DEPTH = 3;
const TABLE = /\.(?:tsv|csv|jsonl)$/i;
/** A reader's judgement lies beside the repository or table. */
const EXPECTED = '.expected.json';
/** Only the first line of a message is shown, up to this length. */
const MAX_WHY_CHARACTERS = 240;

export type Outcome = {
  readonly name: string;
  /** `wrong`: understood, but not as the reader did; `failed`: a fault in Pawl. */
  readonly kind: 'understood' | 'wrong' | 'asked' | 'refused' | 'failed';
  readonly why: string;
  /** Whether a reader's judgement lies beside it. */
  readonly isJudged: boolean;
  /** Whether the reader could not determine everything either. */
  readonly isUnclear: boolean;
  /** For a table with questions: whether the reader's answers were enough; null if there are none to give. */
  readonly isAnswered: boolean | null;
};

export type Compatibility = {
  readonly repositories: readonly Outcome[];
  readonly tables: readonly Outcome[];
  /** One line for each repository whose baseline would run another command than the reader's. */
  readonly otherCommands: readonly string[];
};

/** Counts how many of a folder's repositories and tables are understood, with a line for each that is not. */
export async function benchCompatibility(folder: string): Promise<void> {
  const { repositories, tables, otherCommands } = await readFolder(folder);
  if (repositories.length > 0) print('Repositories without configuration', repositories);
  for (const line of otherCommands) console.log(`- another command: ${oneLine(line)}`);
  if (tables.length > 0) print('Tables of results', tables);
  if (repositories.length + tables.length === 0) console.log('No repository and no table is in that folder.');
}

/**
 * How Pawl reads a folder without any configuration. A folder with a `.git` is a repository; a `.tsv`, `.csv` or
 * `.jsonl` outside a repository is a table. If `<name>.expected.json` lies beside it (see judge-answers.ts), the two
 * are compared. Rejects if that file is not a judgement.
 */
export async function readFolder(folder: string): Promise<Compatibility> {
  const paths = await collect(folder, MAX_DEPTH);
  const repositories: Outcome[] = [];
  const otherCommands: string[] = [];
  for (const path of paths.repositories) {
    const name = relative(folder, path);
    const expected = await readExpected(path, expectedRepositorySchema);
    const answer = await answerForRepository(path);
    repositories.push(judge(name, answer, expected, wrongInRepository));
    const other = answer.kind === 'understood' && expected ? otherCommand(answer.found, expected) : null;
    if (other !== null) otherCommands.push(`${name}: ${other}`);
  }
  const tables: Outcome[] = [];
  for (const path of paths.tables) {
    const expected = await readExpected(path, expectedTableSchema);
    const outcome = judge(relative(folder, path), await answerForTable(path), expected, wrongInTable);
    const isAnswered = outcome.kind === 'asked' && expected ? await isReadOnceTold(path, expected) : null;
    tables.push({ ...outcome, isAnswered });
  }
  return { repositories, tables, otherCommands };
}

/**
 * Whether a table is read as the reader read it, once metric and direction are given; null if the reader does not
 * know them.
 */
async function isReadOnceTold(path: string, expected: ExpectedTable): Promise<boolean | null> {
  const { metric, goal } = expected;
  if (metric === null || goal === null) return null;
  const answer = await answerForTable(path, { metric, goal });
  return answer.kind === 'understood' && wrongInTable(answer.found, expected).length === 0;
}

function judge<Found, Expected extends { readonly unclear: readonly string[] }>(
  name: string,
  answer: Answer<Found>,
  expected: Expected | null,
  wrongIn: (found: Found, expected: Expected) => readonly string[],
): Outcome {
  const isJudged = expected !== null;
  const isUnclear = expected !== null && expected.unclear.length > 0;
  const isAnswered = null;
  if (answer.kind !== 'understood') return { name, ...answer, isJudged, isUnclear, isAnswered };
  const wrong = expected ? wrongIn(answer.found, expected) : [];
  const kind = wrong.length > 0 ? 'wrong' : 'understood';
  return { name, kind, why: wrong.join('; '), isJudged, isUnclear, isAnswered };
}

function print(title: string, outcomes: readonly Outcome[]): void {
  const line = (
    what: string,
    counted: readonly Outcome[],
    { total = outcomes.length, isGood = null as boolean | null } = {},
  ): Line => ({
    ...{ what, value: counted.length, unit: '', reference: `of ${total}` },
    ...{ ratio: total > 0 ? counted.length / total : null, isGood },
  });
  const of = (kind: Outcome['kind']) => outcomes.filter(outcome => outcome.kind === kind);
  const wrong = of('wrong');
  const answered = outcomes.filter(({ isAnswered }) => isAnswered !== null);
  const judged = outcomes.filter(({ isJudged }) => isJudged);
  const clear = judged.filter(({ isUnclear }) => !isUnclear);
  printTable(title, [
    line('understood', of('understood')),
    line(
      'understood, where a reader could tell all',
      clear.filter(({ kind }) => kind === 'understood'),
      { total: clear.length },
    ),
    line('silently wrong', wrong, {
      total: judged.length,
      isGood: judged.length > 0 ? wrong.length === 0 : null,
    }),
    ...(['asked', 'refused'] as const).flatMap(kind => [
      line(
        `${kind}, and a reader could not tell either`,
        of(kind).filter(({ isUnclear }) => isUnclear),
      ),
      line(
        kind,
        of(kind).filter(({ isUnclear }) => !isUnclear),
      ),
    ]),
    ...(answered.length === 0
      ? []
      : [
          line(
            'understood once told what was asked',
            answered.filter(({ isAnswered }) => isAnswered === true),
            { total: answered.length },
          ),
        ]),
    line('failed', of('failed'), { isGood: of('failed').length === 0 }),
  ]);
  console.log('');
  for (const { name, kind, why, isAnswered } of outcomes) {
    const also = isAnswered === false ? ', and the answer was not enough' : '';
    if (kind !== 'understood') console.log(`- ${kind}${also}: ${oneLine(`${name}: ${why}`)}`);
  }
}

/** Skips the inside of repositories and folders whose names begin with a dot. */
async function collect(
  folder: string,
  depth: number,
): Promise<{ readonly repositories: readonly string[]; readonly tables: readonly string[] }> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (entries.some(({ name }) => name === '.git')) return { repositories: [folder], tables: [] };
  const repositories: string[] = [];
  const tables: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isFile() && TABLE.test(entry.name)) tables.push(path);
    if (!entry.isDirectory() || entry.name.startsWith('.') || depth === 0) continue;
    const below = await collect(path, depth - 1);
    repositories.push(...below.repositories);
    tables.push(...below.tables);
  }
  return { repositories, tables };
}

/** The judgement beside a path, or null if there is none. Rejects if the file is not a judgement. */
async function readExpected<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  const beside = `${path}${EXPECTED}`;
  if (!(await stat(beside).catch(() => null))) return null;
  const parsed = schema.safeParse(JSON.parse(await readFile(beside, 'utf8')));
  if (!parsed.success) throw new Error(`${beside}: ${parsed.error.message}`);
  return parsed.data;
}

/** Names and headings come from other people: no control characters reach the terminal. */
function oneLine(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length > MAX_WHY_CHARACTERS ? `${line.slice(0, MAX_WHY_CHARACTERS - 1)}…` : line;
}
