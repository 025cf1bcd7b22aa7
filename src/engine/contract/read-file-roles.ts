import { posix } from 'node:path';
import type { Claim } from './claims.ts';
import { clausesOf, type Document, type Passage, readPassages, sourceOf, withoutBold } from './document.ts';
import { isCautious, isConditional, isJudge, isOfTested, isTest } from './guarded-files.ts';
import { divideEntry, filesOfKind, ofLanguage } from './read-exceptions.ts';
import type { TrackedPaths } from './tracked-paths.ts';

/** What a text says about files: which the agent may edit, and which nobody may. */
export type FileRoles = {
  readonly editable: readonly Claim<string>[];
  readonly locked: readonly Claim<string>[];
  /** Locked files that measure and are locked under a condition; this outweighs a list that names them. */
  readonly guarded: readonly string[];
  /** Files said to be editable that are not in the commit. */
  readonly missing: readonly Claim<string>[];
};

/** Said of the file itself; listed under a heading or sentence that says it; in passing, as a step of the loop. */
export const STRENGTH = { said: 3, listed: 3, passing: 1 } as const;

const EDIT =
  /\b(?:modif(?:y|ies|ied|iable|ying)|edit(?:s|ed|able|ing)?|chang(?:e|es|ed|ing)|touch(?:es)?|alter|mutable|tunes?|rewrites?|optimi[sz]es?|improves?)\b/i;
const FORBIDDEN =
  /(?<!\bdoes )(?<!\bdid )\b(?:not|don['’]?t|never|cannot|can['’]?t|mustn['’]?t|shouldn['’]?t|avoid)\b(?:\s+[\w/]+){0,3}?\s+(?:modif|edit|chang|touch|alter)/i;
/** "Do not modify anything except `a.py`": the files after it get the opposite role. */
const EXCEPT = /\b(?:except(?: for)?|other than|besides|outside(?: of)?|apart from|anything but|only)\b/i;
/** Words between a verb and a file that limit the verb to part of the file. */
const OF_PART =
  /(?:modif|edit|chang|touch|alter)\w*\s+(?:or \w+\s+)?(?:the|any|this|that|its)\s.*\b(?:in|of|inside|within|from)\s+[`'"*(]*$/i;
const LOCKED =
  /\bforbidden\b|\bprohibited\b|\bnot allowed\b|\bread[- ]?only\b|\bimmutable\b|\boff[- ]limits\b|\buntouch(?:ed|able)\b|\blocked\b|\bfrozen\b|\bfixed (?:constants|infrastructure|evaluation|harness|benchmark|judge)\b/i;
/** Sentences that say who edits what, or that a file is the only one: they are rules, not steps or accounts. */
const RULE: readonly RegExp[] = [
  /\b(?:you|agents?|llms?|ai|claude|codex|gpt|researcher)\b(?:\s+(?:may|can|should|will|to|is allowed to|are allowed to|freely|only|actually|must))*\s+(?:edit|modif|change|tune|rewrite|optimi|mutate|improve)/i,
  /\b(?:only|single|sole|one)\b.{0,30}\b(?:edit|modif|chang|tun|touch|optimi|mutable)/i,
  /\b(?:editable|mutable|modifiable)\b/i,
  /\b(?:files?|script|module)\b.{0,12}\b(?:to|that you|being|we)\b.{0,12}\b(?:edit|modif|chang|optimi|improv|tun)/i,
  /\b(?:edit|modify|change|tune|optimi[sz]e)\b\s+(?:\W?this\b|only\b|freely\b)/i,
];
/** "Only when necessary" does not say what may be edited. */
const SOMETIMES = /\bonly (?:when|if|as|for|after|where)\b/i;
/** "Everything else is fixed" is not about a named file. */
const OTHERS = /\b(?:everything|anything|all|nothing) else\b|\bother files\b|\bthe rest\b/i;
/** "The single metric to optimize" is not about a file. */
const OF_NUMBER = /\b(?:metric|score|objective|number|value)s?\b.{0,20}\b(?:optimi|improv|tun|chang)/i;
const HUMAN = /\b(?:humans?|the user|by hand|maintainers?)\b/i;

const EDITABLE_LIST =
  /\bfiles? in scope\b|\bin[- ]scope files?\b|^(?:in[- ])?scope:?$|\beditable\b|\bmutable (?:files?|surface)\b|\bedit surface\b|\b(?:may|can|should|to|you) (?:edit|modify|change)\b|\bfiles? (?:you|the agent)\b|\bprimary files\b/i;
const LOCKED_LIST =
  /\boff[- ]limits\b|\bread[- ]?only\b|\bimmutable\b|\bout of scope\b|\blocked\b|\b(?:not|never|cannot|can'?t|don'?t) (?:be )?(?:edit|modif|chang|touch)/i;
const CAN = /\bcan\b(?! ?not)|\bmay\b(?! not)|\ballowed\b/i;
const CANNOT =
  /\bcan ?not\b|\bcan'?t\b|\b(?:may|must|should|do) not\b|\bdon'?t\b|\bforbidden\b|\bnever (?:do|touch|modif|edit|chang)/i;

/** Headings below "Files in Scope" for files that may not be edited. */
const NOT_IN_SCOPE =
  /\b(?:read|reading|reference|context|background|notes?|history|results?|findings|examples?)\b/i;
/** "Everything in", "All source files below". */
const ALL_OF =
  /^\W*(?:all|any|every|everything|anything)\b.{0,60}\b(?:in|under|inside|within|below|beneath)\W*$/i;
const OF_FILES = /\b(?:files?|code|modules?|sources?|scripts?|everything|anything)\b/i;

type Stand = 'editable list' | 'locked list' | 'can' | 'cannot' | 'read' | null;

/** The role that the sentence above a list, else its heading, gives to the files in it. */
function standOf({ heading, above, lead }: Passage): Stand {
  const own = toStand(lead) ?? toStand(heading);
  return own === null && !NOT_IN_SCOPE.test(heading) ? toStand(above) : own;
}

function toStand(words: string): Stand {
  const text = words.replaceAll('*', '').replaceAll('_', ' ').trim();
  if (text === '' || text.length > 200) return null;
  // "Read the in-scope files for context": what follows is to be read.
  if (/^(?:\d+\W+)?(?:read|look at|see)\b/i.test(text)) return 'read';
  if (LOCKED_LIST.test(text)) return 'locked list';
  if (CANNOT.test(text)) return 'cannot';
  if (EDITABLE_LIST.test(text)) return 'editable list';
  return CAN.test(text) ? 'can' : null;
}

/** A file or pattern that a clause names, and where in it; 0 if the clause begins with it. */
type Reference = { readonly path: string; readonly at: number };

/**
 * Reads which files a text says may and must not be edited. `folder` is where the text lies; its names are looked for
 * there first. A word that names nothing in the commit is not read as a file.
 */
export function readFileRoles(document: Document, tracked: TrackedPaths): FileRoles {
  const folder = posix.dirname(document.path) === '.' ? '' : posix.dirname(document.path);
  const editable: Claim<string>[] = [];
  const locked: Claim<string>[] = [];
  const guarded: string[] = [];
  const missing: Claim<string>[] = [];
  let isOfTests = false;
  for (const passage of readPassages(document)) {
    const source = sourceOf(document, passage.line);
    const stand = passage.kind === 'heading' ? null : standOf(passage);
    // All of an item is about the file that it begins with; elsewhere, a sentence may be about the file that the one
    // before it named.
    let before: readonly Reference[] = [];
    let isAboutOne = false;
    const text = passage.kind === 'code' ? passage.text.replace(/^[\s│├└─|`+-]+/, '') : passage.text;
    for (const clause of clausesOf(text)) {
      const whole = withoutBold(clause).replaceAll('"', '');
      const { named: plain, exception } = FORBIDDEN.test(whole)
        ? { named: whole, exception: null }
        : divideEntry(whole);
      const found = findReferences(plain, tracked, folder);
      // "This is the only file you edit." refers to the file in the sentence before.
      const isOfBefore = found.length === 0;
      const references = isOfBefore ? before : found;
      isOfTests ||= isOfBefore && FORBIDDEN.test(plain) && isOfTested(plain);
      const claim = (paths: readonly Reference[], strength: number) =>
        paths.map(({ path }) => ({ value: path, source, strength }));
      const role = roleOf(plain, passage.kind, stand, references, isOfBefore);
      if (role.kind === 'locked' || (stand === 'editable list' && isCautious(plain, text))) {
        const judges = references.filter(({ path }) => isJudge(path));
        locked.push(...claim(role.kind === 'locked' ? role.of : judges, STRENGTH.said));
        if (isCautious(plain, text) || isConditional(plain)) guarded.push(...judges.map(({ path }) => path));
      }
      if (role.kind === 'editable') {
        const words = plain.slice(0, references[0]?.at ?? 0);
        const of = role.of.map(({ path, at }) => ({ path: ofLanguage(path, words, tracked), at }));
        editable.push(...claim(of, role.strength));
        if (exception !== null)
          locked.push(...claim(exceptedOf(exception, of, tracked, folder), STRENGTH.said));
        if (found.length === 0 && before.length === 0 && role.strength > STRENGTH.passing)
          missing.push(...namesOf(plain).map(value => ({ value, source, strength: role.strength })));
      }
      if (isOfBefore || isAboutOne) continue;
      isAboutOne = before.length === 0 && found[0]?.at === 0;
      before = subjectOf(plain, found);
    }
  }
  const tests = isOfTests ? editable.filter(({ value }) => isTest(value)) : [];
  return { editable: tests.length > 0 ? tests : editable, locked, guarded, missing };
}

/** The exceptions of an entry; the entry itself if they cannot be identified, so that Pawl asks. */
function exceptedOf(
  exception: string,
  of: readonly Reference[],
  tracked: TrackedPaths,
  folder: string,
): readonly Reference[] {
  // An exception to a single file is part of that file.
  const several = of.filter(({ path }) => !tracked.has(path));
  const named = findReferences(exception, tracked, folder, true);
  if (named.length > 0) return named;
  return several.flatMap(reference => {
    const files = filesOfKind(exception, reference.path, tracked);
    return files?.map(path => ({ path, at: 0 })) ?? [reference];
  });
}

type Role =
  | { readonly kind: 'locked'; readonly of: readonly Reference[] }
  | { readonly kind: 'editable'; readonly of: readonly Reference[]; readonly strength: number }
  | { readonly kind: 'none' };

function roleOf(
  clause: string,
  kind: Passage['kind'],
  stand: Stand,
  references: readonly Reference[],
  isOfBefore: boolean,
): Role {
  const isDescribed = isOfBefore || (references[0]?.at ?? -1) === 0;
  const of = isOfBefore ? references : isDescribed ? subjectOf(clause, references) : references;
  const hasVerb = EDIT.test(clause);
  const isListed = kind === 'item' || kind === 'code' || kind === 'row' || kind === 'prose';
  const chinese = readChinese(clause);
  if (chinese !== null)
    return chinese === 'locked' ? { kind: 'locked', of } : { kind: 'editable', of, strength: STRENGTH.said };
  if (isOfBefore && (OTHERS.test(clause) || OF_NUMBER.test(clause))) return { kind: 'none' };
  const forbidden = FORBIDDEN.exec(clause);
  if (forbidden) {
    // Part of a file is not a file: "never modify the block that saves, in `train.py`".
    const [first] = references;
    if (first && !isDescribed && OF_PART.test(clause.slice(forbidden.index, first.at)))
      return { kind: 'none' };
    const at = EXCEPT.exec(clause)?.index ?? -1;
    const spared = references.filter(reference => at >= 0 && reference.at > at);
    if (spared.length > 0) return { kind: 'editable', of: spared, strength: STRENGTH.said };
    return { kind: 'locked', of };
  }
  if (LOCKED.test(clause))
    return { kind: 'locked', of: isDescribed ? of : nearestBefore(references, LOCKED.exec(clause)) };
  const isAny = /^\W*(?:any|all|every|everything|anything|the|other)\b/i.test(clause);
  if (stand === 'locked list' && isListed && !isOfBefore && (isDescribed || isAny))
    return isPart(clause, references) ? { kind: 'none' } : { kind: 'locked', of };
  if (stand === 'cannot' && hasVerb) return { kind: 'locked', of };
  if (HUMAN.test(clause)) return { kind: 'none' };
  if (hasVerb && isRule(clause, clause.slice(0, references[0]?.at ?? 0), stand))
    return { kind: 'editable', of, strength: STRENGTH.said };
  const before = clause.slice(0, references[0]?.at ?? 0);
  const isAllOf = ALL_OF.test(before) && OF_FILES.test(before);
  if (stand === 'editable list' && isListed && (isDescribed || isAllOf) && !isOfBefore)
    return { kind: 'editable', of, strength: STRENGTH.listed };
  const isStep =
    /^(?:\W|\d)*(?:then |directly )?(?:edit|modify|tune|change|rewrite|improve|optimi[sz]e)\b/i.test(clause);
  return isStep && !isOfBefore ? { kind: 'editable', of, strength: STRENGTH.passing } : { kind: 'none' };
}

/** "The property tests in `int.rs`" are part of that file; "any file in `src/`" means all of it. */
function isPart(clause: string, [first]: readonly Reference[]): boolean {
  if (!first || first.at === 0 || /[*?[{]/.test(first.path)) return false;
  const before = clause.slice(0, first.at);
  return /\b(?:in|of|inside|within|from)\W*$/i.test(before) && !/^\W*(?:any|all|every)/i.test(before);
}

/** "唯一可以修改", "只能修改"; "不要修改", "只读". */
function readChinese(clause: string): 'editable' | 'locked' | null {
  if (/(?:不要|不得|不能|不可|不可以|禁止|请勿|严禁)(?:修改|改动|编辑|更改)|只读/.test(clause))
    return 'locked';
  return /(?:唯一|只能|只可以|仅能|可以)[^。]{0,8}(?:修改|改动|编辑)/.test(clause) ? 'editable' : null;
}

/** If a sentence names files in passing, "read-only" is about the one just before it. */
function nearestBefore(
  references: readonly Reference[],
  match: RegExpExecArray | null,
): readonly Reference[] {
  const nearest = references.findLast(({ at }) => at < (match?.index ?? 0));
  return nearest ? [nearest] : [];
}

/** Whether a clause with a verb of editing says who may edit what, rather than being a step of a recipe. */
function isRule(clause: string, before: string, stand: Stand): boolean {
  if (SOMETIMES.test(clause)) return false;
  return (
    (stand === 'can' &&
      /\b(?:edit|modif\w+|chang\w+|tune|rewrite|improve|optimi\w+)\b[^(]{0,60}$/i.test(before)) ||
    RULE.some(pattern => pattern.test(clause)) ||
    /\b(?:edit|modify|change|tune)\b.{0,60}\bonly\b/i.test(clause)
  );
}

/** The references at the start of a clause, before its statement about them: "`a.py`, `b.py` — the model". */
function subjectOf(clause: string, references: readonly Reference[]): readonly Reference[] {
  if (references[0]?.at !== 0) return references;
  const end = /\s[—–-]{1,2}\s|:\s|\s\(/.exec(clause)?.index ?? clause.length;
  return references.filter(({ at }) => at < end);
}

/**
 * The words of a clause that name something in the commit; only those marked as code if there are any. As an
 * exception, `*.g.dart` means such files in every folder.
 */
function findReferences(
  clause: string,
  tracked: TrackedPaths,
  folder: string,
  isAnywhere = false,
): readonly Reference[] {
  const quoted: Reference[] = [];
  const bare: Reference[] = [];
  for (const match of clause.matchAll(/`([^`]*)`|[^\s`,()]+/g)) {
    const isFirst = /^[^\p{L}\p{N}]*$/u.test(clause.slice(0, match.index));
    const [whole, code] = match;
    for (const word of (code ?? whole).split(/\s+/)) {
      // A plain word is a file only if it looks like one.
      if (code === undefined && !/\w\.\w|\w\//.test(word)) continue;
      const name = word.replace(/[.:;*_)]+$/, '').replace(/^[*_([]+(?=\w)/, '');
      const path =
        tracked.resolve(name, folder) ??
        (isAnywhere && name.startsWith('*.') ? tracked.resolve(`**/${name}`, '') : null);
      if (path !== null) (code === undefined ? bare : quoted).push({ path, at: isFirst ? 0 : match.index });
    }
  }
  return quoted.length > 0 ? quoted : bare;
}

/** Names of files in backticks. */
function namesOf(clause: string): readonly string[] {
  return clause
    .split('`')
    .filter((piece, index) => index % 2 === 1 && /^[\w./-]{1,100}\.\w{1,8}$/.test(piece));
}
