import { posix } from 'node:path';
import type { Finding, Recognition } from '../../shared/contract/findings.ts';
import { formatSeconds } from '../../shared/numbers.ts';
import { assemble } from './assemble.ts';
import { autoresearchContract } from './autoresearch.ts';
import { findInCode } from './choose-metric.ts';
import { type Claim, settle } from './claims.ts';
import { type Document, holdsWord, sourceOf } from './document.ts';
import { findPair, type Shape } from './find-shape.ts';
import { namedDataFolders } from './named-data.ts';
import {
  type CommandLine,
  commandKey,
  inFolder,
  readCommands,
  readScriptCommands,
  SURENESS,
} from './read-command.ts';
import { type FileRoles, readFileRoles, STRENGTH } from './read-file-roles.ts';
import { type MetricClaim, readDirections, readGeneralDirections, readMetrics } from './read-metric.ts';
import { readBudget, readBudgetConstant, readRules } from './read-rules.ts';
import { readTableDirection } from './read-table-direction.ts';
import { readToldMetric } from './told-metric.ts';
import type { TrackedPaths } from './tracked-paths.ts';

export type ProgramTexts = {
  readonly program: Document;
  readonly readme: Document | null;
  /** The code that the texts name, and the `train.py` and `prepare.py` beside them. */
  readonly code: readonly Document[];
  readonly table: Document | null;
  /** Shell scripts and Makefiles beside the program. */
  readonly scripts: readonly Document[];
};

/** The source of a finding that follows from a file's name alone. */
const BY_NAME = 'by its name, as in autoresearch';

/** The files to which a program and its README give a role. */
export function filesOfProgram(
  { program, readme }: Pick<ProgramTexts, 'program' | 'readme'>,
  tracked: TrackedPaths,
): readonly string[] {
  const texts = readme ? [program, readme] : [program];
  const roles = texts.map(text => readFileRoles(text, tracked));
  const named = roles.flatMap(({ editable, locked }) => [...editable, ...locked].map(({ value }) => value));
  const scripts = texts.flatMap(text => readCommands(text, tracked).map(({ value }) => value.script ?? ''));
  return [...new Set([...named, ...scripts])].filter(path => tracked.has(path));
}

/**
 * Recognises a repository by its `program.md`: upstream's three files, similar ones, or whichever files it names.
 * What the program says counts more than what its shape implies, and its README is read where the program says
 * nothing. Null if it is another kind of program.
 */
export function recognizeProgram(
  shape: Extract<Shape, { kind: 'program' }>,
  texts: ProgramTexts,
  tracked: TrackedPaths,
): Recognition | null {
  const { folder } = shape;
  const { program, readme, code, table, scripts } = texts;
  const at = (name: string) => posix.join(folder, name);
  const pair = findPair(folder, path => tracked.has(path));
  const said = [program, ...(readme ? [readme] : [])];
  const roles = firstRoles(
    said.map((text, index) =>
      index === 0 ? readFileRoles(text, tracked) : rulesOnly(readFileRoles(text, tracked)),
    ),
    pair,
  );
  const commands = firstOf([
    readCommands(program, tracked),
    readme ? inPassing(readCommands(readme, tracked)) : [],
  ]);
  const namesFiles = roles.editable.length > 0 || roles.missing.length > 0;
  const isLaunched = commands.some(({ strength }) => strength >= SURENESS.launch);
  if (pair === null && !namesFiles && !isLaunched) return null;

  const prepare = code.find(({ path }) => path === at('prepare.py'));
  const upstream = autoresearchContract(
    '',
    tracked.has(at('pyproject.toml')) || tracked.has('pyproject.toml'),
  );
  const budget = settleBudget(code, said, upstream.budget.seconds);
  const contract = autoresearchContract(`TIME_BUDGET = ${budget.value}`, false);
  const memory = findMemory([...said, ...code]);
  const rules = readRules(program);
  const data = prepare ? findData(prepare) : null;
  const findings: Finding[] = [
    { name: 'budget', value: formatSeconds(budget.value), ...budget.told },
    ...(memory ? [{ name: 'memory' as const, value: memory.value, source: memory.source }] : []),
    ...(data ? [data] : []),
    { name: 'instructions', value: program.path, source: 'by its name' },
    ...rules.findings,
  ];
  const isReserved = (path: string) => [program.path, readme?.path].includes(path) || isRecord(path);
  return assemble({
    ...{ tracked, roles, isReserved, code, findings, parts: pair ?? [] },
    naming: filesNaming(said, scripts, tracked),
    commands: hasOwnCommand(commands, pair)
      ? commands
      : [
          ...commandByName(
            pair,
            folder,
            upstream.train,
            said.map(text => readCommands(text, tracked)),
          ),
          ...commands,
        ],
    metrics: metricsOf(said, pair, code),
    goals: metric => [
      ...firstOf(said.map(text => (metric === null ? [] : readDirections(text, metric)))),
      ...firstOf(said.map(readGeneralDirections)),
      ...readTableDirection(table),
    ],
    base: {
      ...contract,
      instructions: program.path,
      metric: { ...contract.metric, memory: memory?.value ?? null, name: null, goal: null },
      stop: rules.stop,
    },
  });
}

/** Files that an agent writes for itself and for people: results, logs, notes. */
function isRecord(path: string): boolean {
  return (
    /(?:^|\/)(?:readme|claude|agents)\.md$|(?:^|\/)results?\.tsv$|\.log$/i.test(path) ||
    /(?:^|[/_.-])(?:notes?|journal|ideas|learnings?|knowledge|changelog|todo|paper|report|reading_materials|literature|insights?)(?:[/_.-][^/]*)?\.(?:md|txt)$/i.test(
      path,
    )
  );
}

/** A README asks people to edit and run many things; only sentences that say who edits what are about the loop. */
function rulesOnly(roles: FileRoles): FileRoles {
  return { ...roles, editable: roles.editable.filter(({ strength }) => strength > STRENGTH.passing) };
}

/** Which texts and scripts name each command. */
function filesNaming(
  texts: readonly Document[],
  scripts: readonly Document[],
  tracked: TrackedPaths,
): ReadonlyMap<string, ReadonlySet<string>> {
  const named = [
    ...texts.flatMap(text => readCommands(text, tracked).map(({ value }) => [value, text.path] as const)),
    ...scripts.flatMap(script =>
      readScriptCommands(script, tracked).map(value => [value, script.path] as const),
    ),
  ];
  const groups = Map.groupBy(named, ([value]) => commandKey(value));
  return new Map([...groups].map(([key, all]) => [key, new Set(all.map(([, path]) => path))]));
}

function inPassing(commands: readonly Claim<CommandLine>[]): readonly Claim<CommandLine>[] {
  return commands.map(claim =>
    claim.strength === SURENESS.launch ? { ...claim, strength: SURENESS.passing } : claim,
  );
}

/** What the program says; else what its README says; else nothing. */
function firstOf<T>(all: readonly (readonly T[])[]): readonly T[] {
  return all.find(claims => claims.length > 0) ?? [];
}

function firstRoles(all: readonly FileRoles[], pair: readonly [string, string] | null): FileRoles {
  const [edited] = pair ?? [];
  const byName = edited === undefined ? [] : [{ value: edited, source: BY_NAME, strength: 0 }];
  const own = all.find(({ editable, missing }) => editable.length + missing.length > 0) ?? all[0];
  if (!own) throw new Error('a program is a text');
  const { editable } = own;
  return {
    // A step of a recipe names many files; if it names one that is not the shape's own, the user is asked.
    editable:
      editable.length + own.missing.length === 0
        ? byName
        : [...editable, ...byName.map(claim => ({ ...claim, strength: STRENGTH.passing }))],
    // Only of the text that says what may be edited: another text may be about another tool.
    ...{ locked: own.locked, guarded: own.guarded, missing: own.missing },
  };
}

/** @param said the commands of the program, then of its README */
function commandByName(
  pair: readonly [string, string] | null,
  folder: string,
  upstream: string,
  said: readonly (readonly Claim<CommandLine>[])[],
): readonly Claim<CommandLine>[] {
  if (pair === null) return [];
  const [edited, measured] = pair;
  const script = posix.basename(edited) === 'train.py' ? edited : measured;
  const isUv = said.flat().some(({ value }) => /\buv run\b/.test(value.line));
  const line = (isUv ? 'uv run train.py' : upstream).replace('train.py', posix.basename(script));
  const byName = {
    value: { line: inFolder(folder, line), script },
    source: BY_NAME,
    strength: SURENESS.launch,
  };
  // If the texts run other files and never this one, the file's name may mislead. A README runs many other things.
  const isNever = !said.flat().some(({ value }) => value.script === script);
  const others = said.flatMap((claims, index) =>
    claims.filter(
      ({ value, strength }) =>
        isNever &&
        strength > SURENESS.once &&
        value.script !== null &&
        (index === 0 || pair.includes(value.script)),
    ),
  );
  return [byName, ...others.slice(0, 3).map(claim => ({ ...claim, strength: SURENESS.launch }))];
}

/** Whether a text gives a command for the shape's own files, or for the loop. A one-time command does not count. */
function hasOwnCommand(
  commands: readonly Claim<CommandLine>[],
  pair: readonly [string, string] | null,
): boolean {
  return commands.some(
    ({ value, strength }) =>
      strength >= SURENESS.launch || (strength > SURENESS.once && pair?.includes(value.script ?? '')),
  );
}

/** If no text names a number: the one it describes in words; else upstream's, if the code has it. */
function metricsOf(
  said: readonly Document[],
  pair: readonly [string, string] | null,
  code: readonly Document[],
): readonly MetricClaim[] {
  const toldOf = (text: Document) => {
    const told = readToldMetric(text, code);
    return told ? [told] : [];
  };
  const named = said.map(readMetrics);
  const told = said.map((text, index) => (named[index]?.length === 0 ? toldOf(text) : []));
  // The README is read only if the program does not say it, not even in words.
  const heard = said.findIndex((_, index) => named[index]?.length || told[index]?.length);
  if (named[heard]?.length) return named[heard];
  const source = pair === null ? null : findInCode('val_bpb', code);
  const upstream = source === null ? [] : [{ value: 'val_bpb', source, strength: 1 }];
  return [...(told[heard] ?? []), ...upstream].map(claim => ({ ...claim, kind: 'named' }));
}

function settleBudget(
  code: readonly Document[],
  said: readonly Document[],
  fallback: number,
): { readonly value: number; readonly told: Pick<Finding, 'source' | 'isDefault'> } {
  // The constant is what runs; a text may be out of date.
  const claims = [...code.flatMap(readBudgetConstant), ...firstOf(said.map(readBudget))];
  const settled = settle(claims.slice(0, 1));
  return settled.kind === 'found'
    ? { value: settled.value, told: { source: settled.source } }
    : { value: fallback, told: { source: "nothing says it; autoresearch's default", isDefault: true } };
}

/** A number of megabytes, shown beside the metric. */
function findMemory(texts: readonly Document[]): Claim<string> | null {
  for (const text of texts) {
    for (const [index, line] of text.lines.entries()) {
      const name = /\b(?:peak|max)_(?:\w{1,20}_)?(?:vram|mem|memory|rss)(?:_\w{1,10})?_mb\b/.exec(line)?.[0];
      if (name !== undefined && holdsWord(line, name))
        return { value: name, source: sourceOf(text, index + 1), strength: 1 };
    }
  }
  return null;
}

/** The folder that `prepare.py` calls its data; the sandbox gives access to it without being asked. */
function findData(prepare: Document): Finding | null {
  for (const [index, line] of prepare.lines.entries()) {
    const [folder] = namedDataFolders(line, '~');
    if (folder !== undefined) return { name: 'data', value: folder, source: sourceOf(prepare, index + 1) };
  }
  return null;
}
