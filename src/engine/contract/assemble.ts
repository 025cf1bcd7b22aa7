import { posix } from 'node:path';
import type { Goal } from '../../shared/contract/contract.ts';
import type { AskedName, Draft, Finding, Recognition, Unclear } from '../../shared/contract/findings.ts';
import { listed } from '../../shared/listed.ts';
import { chooseMetric } from './choose-metric.ts';
import { type Claim, describeTorn, distinct, type Settled, settle } from './claims.ts';
import type { Document } from './document.ts';
import { isBeside } from './guarded-files.ts';
import { type CommandLine, commandKey, isTemplate, SURENESS } from './read-command.ts';
import { type FileRoles, STRENGTH } from './read-file-roles.ts';
import { directionByName, type MetricClaim } from './read-metric.ts';
import type { TrackedPaths } from './tracked-paths.ts';

/** What a repository says about each required part of a contract, and about the optional ones. */
export type Sayings = {
  readonly tracked: TrackedPaths;
  readonly roles: FileRoles;
  /** Files that are never editable, whatever a text says: instructions, what measures, the loop's own records. */
  readonly isReserved: (path: string) => boolean;
  readonly commands: readonly Claim<CommandLine>[];
  /** The files that name a command, by its key. */
  readonly naming: ReadonlyMap<string, ReadonlySet<string>>;
  readonly metrics: readonly MetricClaim[];
  /** Claims about a metric's direction; with null, claims that name no metric. */
  readonly goals: (metric: string | null) => readonly Claim<Goal>[];
  /** Files that the shape itself gives a role, whatever the texts say. */
  readonly parts: readonly string[];
  /** Sources that are searched for printed names. */
  readonly code: readonly Document[];
  /** The rest of the contract, and the findings shown for it. */
  readonly base: Draft;
  readonly findings: readonly Finding[];
};

/** Weighs the claims: clear ones go into the draft, and the user is asked about the rest. */
export function assemble(sayings: Sayings): Recognition {
  const { base, metrics, code, goals } = sayings;
  const findings: Finding[] = [];
  const unclear: Unclear[] = [];
  const take = <T>(
    name: AskedName,
    settled: Settled<T>,
    show: (value: T) => string,
    what: string,
  ): T | null => {
    if (settled.kind === 'found') {
      findings.push({ name, value: show(settled.value), source: settled.source });
      return settled.value;
    }
    const claims =
      settled.kind === 'torn' ? settled.claims.map(claim => ({ ...claim, value: show(claim.value) })) : [];
    const why =
      settled.kind === 'torn' && claims.length > 0
        ? `It is not clear ${what}: ${describeTorn(claims, settled.because)}.`
        : `Nothing says ${what}.`;
    // What the commit does not contain is no answer.
    const isAbsent = settled.kind === 'torn' && settled.because === 'absence';
    const candidates = isAbsent ? [] : [...new Set(claims.map(({ value }) => value))].slice(0, 8);
    unclear.push({ name, why, candidates });
    return null;
  };

  const editable = take(
    'editable',
    settleEditable(sayings),
    paths => paths.join(', '),
    'which files may be edited',
  );
  const locked = settleLocked(sayings, editable ?? []);
  if (locked !== null) findings.push(locked);
  const train = take('train', settleCommand(sayings, editable ?? []), ({ line }) => line, 'how to train');
  const counted = chooseMetric(metrics, code);
  const name = take('metric', counted, value => value, 'which number counts');
  // Even if it is not clear which number counts, it may be clear that a high one is better.
  const names = counted.kind === 'torn' ? counted.claims.map(({ value }) => value) : [name ?? ''];
  const own = [...goals(name), ...(name === null ? [] : directionByName(name))];
  const told = settle(own.length > 0 ? own : names.flatMap(directionByName));
  const goal = take('goal', told, value => value, `whether a lower or higher ${name ?? 'number'} is better`);
  return {
    draft: { ...base, editable, train: train?.line ?? null, metric: { ...base.metric, name, goal } },
    findings: [...findings, ...sayings.findings],
    unclear,
  };
}

/** Nobody writes a list of more files than this. */
const MAX_EDITABLE = 200;

/** The files that are most surely said to be editable, without those that are said to be locked. */
function settleEditable(sayings: Sayings): Settled<readonly string[]> {
  const { roles, tracked, isReserved } = sayings;
  const named = roles.editable.filter(({ value }) => !isReserved(value));
  const surest = Math.max(...named.map(({ strength }) => strength));
  const claims = named.filter(({ strength }) => strength === surest);
  const missing = roles.missing.filter(({ strength }) => !(strength < surest));
  const [first] = claims;
  if (first && surest === STRENGTH.passing && !saysAll(claims))
    return { kind: 'torn', claims: claims.map(asList) };
  if (!first && missing.length === 0) return onlyFile(sayings);
  if (!first) return { kind: 'torn', because: 'absence', claims: missing.map(asList) };
  const different = distinct(claims);
  const isTooMany = { kind: 'torn', claims: different.slice(0, 3).map(asList) } as const;
  if (different.length > MAX_EDITABLE) return isTooMany;
  const isLocked = tracked.matcher(roles.locked.map(({ value }) => value));
  const isGuarded = tracked.matcher(roles.guarded);
  const guarded: string[] = [];
  const paths = new Set<string>();
  for (const claim of different) {
    const own = tracked.matching(claim.value);
    const free = own.filter(path => !isReserved(path) && !isLocked(path));
    if (free.length === own.length) paths.add(claim.value);
    else if (different.length > 1 && own.every(isGuarded)) guarded.push(...own);
    else if (free.length === 0 || own.length > MAX_EDITABLE) {
      const clash = own.filter(isLocked).slice(0, MAX_EDITABLE);
      const refused = distinct(roles.locked).filter(({ value }) => clash.some(tracked.matcher([value])));
      return { kind: 'torn', because: 'clash', claims: [claim, ...refused.slice(0, 2)].map(asList) };
    } else for (const path of free) paths.add(path);
  }
  if (paths.size > MAX_EDITABLE) return isTooMany;
  // If a guarded file is one that measures, its neighbours that measure may be guarded too. And if every file of a
  // list is guarded, it is no list of editable files.
  const doubted = different.filter(({ value }) => guarded.some(path => isBeside(value, path)));
  if (paths.size === 0 || doubted.some(({ value }) => paths.has(value)))
    return { kind: 'torn', claims: (paths.size > 0 ? doubted : different).slice(0, 3).map(asList) };
  return { kind: 'found', value: [...paths], source: joinSources(claims) };
}

/** Nothing says what may be edited: a hint is the file that a command runs, if it is the only one of its language. */
function onlyFile({ commands, tracked }: Sayings): Settled<readonly string[]> {
  const claims = commands.flatMap(({ value: { script }, ...rest }) => {
    const ending = script === null ? '' : posix.extname(script);
    const isOnly = ending !== '' && tracked.all.filter(path => path.endsWith(ending)).length === 1;
    return script !== null && isOnly ? [{ ...rest, value: [script] }] : [];
  });
  return claims.length > 0 ? { kind: 'torn', claims: claims.slice(0, 1) } : { kind: 'silent' };
}

/** Whether one sentence names every file that the others name: "edit `a.py` and `b.py`". */
function saysAll(claims: readonly Claim<string>[]): boolean {
  const values = new Set(claims.map(({ value }) => value));
  return claims.some(({ source }) => {
    const said = new Set(claims.filter(claim => claim.source === source).map(({ value }) => value));
    return said.size === values.size;
  });
}

function asList({ value, source, strength }: Claim<string>): Claim<readonly string[]> {
  return { value: [value], source, strength };
}

function joinSources(claims: readonly Claim<unknown>[]): string {
  const sources = [...new Set(claims.map(({ source }) => source))];
  return listed(sources, 3);
}

/** The files named as locked, in addition to every file that is not editable. */
function settleLocked({ roles }: Sayings, editable: readonly string[]): Finding | null {
  const named = roles.locked.filter(({ value }) => !editable.includes(value));
  if (named.length === 0) return null;
  const paths = [...new Set(named.map(({ value }) => value))];
  return {
    name: 'locked',
    value: `${listed(paths, 8)}, and every other non-editable file`,
    source: joinSources(named),
  };
}

/**
 * The loop's own command. A command mentioned in passing counts only if it is the one that two files name, or if all of
 * them agree and it runs a file to which the text gives a role. A template counts only if the same command is written elsewhere without placeholders.
 */
function settleCommand(
  { commands, naming, roles, tracked, parts: known }: Sayings,
  editable: readonly string[],
): Settled<CommandLine> {
  const whole = commands.filter(({ value, strength }) => !isTemplate(value) && strength > SURENESS.once);
  const surest = Math.max(...commands.map(({ strength }) => strength));
  const templates = commands.filter(({ value, strength }) => isTemplate(value) && strength === surest);
  const sureness = Math.max(...whole.map(({ strength }) => strength));
  const settled = settle(whole, commandKey);
  if (settled.kind === 'silent')
    return commands.length > 0 ? { kind: 'torn', claims: commands.slice(0, 4) } : settled;
  const claims = settled.kind === 'torn' ? settled.claims : [{ ...settled, strength: sureness }];
  const isNamedTwice = ({ value }: { readonly value: CommandLine }) =>
    value.script !== null && (naming.get(commandKey(value))?.size ?? 0) > 1;
  const twice = claims.filter(isNamedTwice);
  const [clear, ...others] = twice;
  if (clear && others.length === 0 && sureness === SURENESS.passing)
    return { kind: 'found', value: clear.value, source: sourcesOf(clear, naming) };
  if (settled.kind === 'torn')
    return { ...settled, claims: [...twice, ...claims.filter(claim => !isNamedTwice(claim))] };
  const { script } = settled.value;
  if (templates.some(({ value }) => value.script !== script)) return { kind: 'torn', claims: templates };
  const parts = [...known, ...editable, ...roles.locked.map(({ value }) => value)];
  const hasPart = script !== null && tracked.matcher(parts)(script);
  if (sureness > SURENESS.passing || hasPart) return settled;
  return { kind: 'torn', claims: whole.slice(0, 1) };
}

/** `README.md:6, run.sh`. */
function sourcesOf(
  { value, source }: { readonly value: CommandLine; readonly source: string },
  naming: Sayings['naming'],
): string {
  const others = [...(naming.get(commandKey(value)) ?? [])].filter(path => !source.startsWith(`${path}:`));
  return [source, ...others].slice(0, 3).join(', ');
}
