import { distance } from 'fastest-levenshtein';
import type { SteeringEffect } from '../../../shared/steering.ts';
import { type Bounds, constantKey } from './bounds.ts';
import type { Constant } from './constant.ts';

/** An instruction of a steering note to the search, in the small language of docs/search.md. */
type Directive =
  | { readonly kind: 'leave' | 'only' | 'free'; readonly names: readonly string[] }
  | {
      readonly kind: 'try';
      readonly name: string;
      readonly low: number;
      readonly high: number;
    };

const NUMBER = String.raw`([-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|[-+]?\.\d+(?:e[-+]?\d+)?)`;
const FORMS: readonly (readonly [RegExp, (...groups: readonly string[]) => Directive | null])[] = [
  [/^leave (.+) alone$/i, names => ({ kind: 'leave', names: listOf(names) })],
  [/^(?:do not|don['’]t) (?:turn|touch|change) (.+)$/i, names => ({ kind: 'leave', names: listOf(names) })],
  [/^(?:turn |try )?only (.+)$/i, names => ({ kind: 'only', names: listOf(names) })],
  [/^free (.+)$/i, names => ({ kind: 'free', names: listOf(names) })],
  [tryForm(`up to ${NUMBER}`), (name, high) => range(name, Number.NEGATIVE_INFINITY, read(high))],
  [tryForm(`down to ${NUMBER}`), (name, low) => range(name, read(low), Number.POSITIVE_INFINITY)],
  [
    tryForm(`(?:between|from) ${NUMBER} (?:and|to) ${NUMBER}`),
    (name, low, high) => range(name, read(low), read(high)),
  ],
];

function tryForm(rest: string): RegExp {
  return new RegExp(String.raw`^(?:try|keep) (\S+) ${rest}$`, 'i');
}

function range(name: string | undefined, low: number, high: number): Directive | null {
  return name === undefined || !(low <= high) ? null : { kind: 'try', name, low, high };
}

function read(text: string | undefined): number {
  return Number((text ?? '').replaceAll('_', ''));
}

function listOf(names: string | undefined): readonly string[] {
  return (names ?? '').split(/\s*,\s*|\s+and\s+|\s+/).filter(Boolean);
}

/** The sentences of a note: separated by line breaks, semicolons and full stops after a word. */
function sentencesOf(note: string): readonly string[] {
  return note
    .split(/[;\n]|\.(?=\s|$)|,\s+(?=(?:leave|try|keep|only|free|do not|don['’]t)\b)/i)
    .map(sentence => sentence.trim().replace(/^(?:please|and|then)\s+/i, ''))
    .filter(Boolean);
}

function parse(sentence: string): Directive | null {
  for (const [form, make] of FORMS) {
    const found = form.exec(sentence);
    if (found) return make(...found.slice(1));
  }
  return null;
}

/** How the search reads a note; its author sees this at once. */
export function readNote(note: string, constants: readonly Constant[]): SteeringEffect {
  const followed: string[] = [];
  const problems: string[] = [];
  for (const sentence of sentencesOf(note)) {
    const directive = parse(sentence);
    if (!directive) {
      problems.push(
        `"${sentence}" is not a form that the search follows: "leave NAME alone", "only NAME, NAME", "try NAME up to 0.1", "down to", "between 0.01 and 0.1" and "free NAME".`,
      );
      continue;
    }
    const names = directive.kind === 'try' ? [directive.name] : directive.names;
    for (const name of names.filter(own => !constants.some(constant => constant.name === own))) {
      problems.push(`There is no constant ${name} that the search can change.${nearest(name, constants)}`);
    }
    const known = names.filter(own => constants.some(constant => constant.name === own));
    if (known.length > 0) followed.push(describe(directive, known));
  }
  return { followed, problems };
}

function nearest(name: string, constants: readonly Constant[]): string {
  const [best] = constants
    .map(constant => constant.name)
    .sort(
      (a, b) => distance(a.toLowerCase(), name.toLowerCase()) - distance(b.toLowerCase(), name.toLowerCase()),
    );
  return best === undefined ? '' : ` The most similar is ${best}.`;
}

function describe(directive: Directive, names: readonly string[]): string {
  const list = names.join(', ');
  switch (directive.kind) {
    case 'leave':
      return `The search leaves ${list} alone.`;
    case 'only':
      return `The search changes only ${list}.`;
    case 'free':
      return `The search may change ${list} again without limits.`;
    default: {
      const { low, high } = directive;
      const words =
        low === Number.NEGATIVE_INFINITY
          ? `up to ${high}`
          : high === Number.POSITIVE_INFINITY
            ? `down to ${low}`
            : `between ${low} and ${high}`;
      return `The search tries ${list} ${words}.`;
    }
  }
}

/** The range that all notes together allow; later ones override earlier ones. Null if they set none. */
export function boundsOf(notes: readonly string[], constants: readonly Constant[]): Bounds | null {
  const directives = notes.flatMap(note => sentencesOf(note).flatMap(sentence => parse(sentence) ?? []));
  if (directives.length === 0) return null;
  let bounds = new Map<string, { readonly low: number; readonly high: number } | null>(
    constants.map(constant => [constantKey(constant), null]),
  );
  const named = (names: readonly string[]) =>
    constants.filter(({ name }) => names.includes(name)).map(constantKey);
  for (const directive of directives) {
    switch (directive.kind) {
      case 'leave':
        for (const key of named(directive.names)) bounds.delete(key);
        break;
      case 'only': {
        const keys = named(directive.names);
        // A note that would exclude every constant is ignored.
        if (keys.length > 0) bounds = new Map(keys.map(key => [key, bounds.get(key) ?? null]));
        break;
      }
      case 'free':
        for (const key of named(directive.names)) bounds.set(key, null);
        break;
      default:
        for (const key of named([directive.name])) bounds.set(key, directive);
    }
  }
  return bounds;
}

/** The values that both allow. */
export function meet(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (!a || !b) return a ?? b;
  const both = new Map<string, { readonly low: number; readonly high: number } | null>();
  for (const [key, one] of a) {
    if (!b.has(key)) continue;
    const other = b.get(key) ?? null;
    const met =
      one && other
        ? { low: Math.max(one.low, other.low), high: Math.min(one.high, other.high) }
        : (one ?? other);
    both.set(key, met);
  }
  return both;
}
