import type { CallTokens } from '../../../shared/proposers/model-calls.ts';
import type { AgentFolder } from '../../sandbox/agent-jail.ts';

/** What Pawl knows about an agent's program: how to run it once without questions, and how to read its output. */
export type AgentProgram = {
  readonly title: string;
  readonly program: string;
  /** Added to the user's environment; undefined removes a variable. */
  readonly environment: (asked: Asked) => Readonly<Record<string, string | undefined>>;
  /** Files that it is given in a separate folder, outside its work. */
  readonly files: Readonly<Record<string, string>>;
  /** Where a sign-in can be seen, and what to do if it is missing. It may also be in the system's keyring. */
  readonly signIn: {
    /** In the home folder. */
    readonly files: readonly string[];
    readonly variables: readonly string[];
    /** Whether its settings name a server for which the program needs no sign-in. */
    readonly isInSettings?: (read: (file: string) => Promise<string | null>) => Promise<boolean>;
    readonly how: string;
    /** Whether it must not run without a sign-in, because it would use a server that the user never chose. */
    readonly isNeeded: boolean;
  };
  /** Where it keeps its sign-in and settings. */
  readonly folders: readonly AgentFolder[];
  /** Its own words for failures; they are tried before those that all programs share. */
  readonly words: readonly FailureWords[];
  readonly how: CommandLine | Acp;
};

/** How it is asked this time. */
export type Asked = {
  /** Null leaves the choice to the agent. */
  readonly model: string | null;
  /** The folder of {@link AgentProgram.files}. */
  readonly own: string;
  readonly isContained: boolean;
  readonly prompt: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Runs once: the prompt goes to stdin, JSON lines come from stdout. */
export type CommandLine = {
  readonly kind: 'command_line';
  readonly argv: (asked: Asked) => readonly string[];
  readonly read: (lines: readonly Json[]) => AgentOutput;
  /** The trouble that a line of its stdout or stderr reports while it works; null for none. */
  readonly watch: (line: string) => Sign | null;
};

/** The Agent Client Protocol, version 1, over stdin and stdout. */
export type Acp = {
  readonly kind: 'acp';
  readonly argv: (asked: Asked) => readonly string[];
  /** The mode in which it asks before it edits, if it has one. */
  readonly mode: (asked: Asked) => string | null;
  /** The method that signs it in before a session; null if it signs in by itself. */
  readonly signsInBy: (asked: Asked) => string | null;
  /** As in {@link CommandLine}. */
  readonly watch: (line: string) => Sign | null;
  /** How its model is chosen; null if the command line or the environment does that. */
  readonly model: 'option' | 'set_model' | null;
  /** `_meta` of a new session and of Pawl's capabilities. */
  readonly meta: Json | null;
  readonly clientMeta: Json | null;
  /** Whether the tokens in its answer are those of the whole turn. */
  readonly countsTurn: boolean;
};

export type Json = Readonly<Record<string, unknown>>;

export type AgentOutput = {
  /** Its final text; empty if it said nothing. */
  readonly text: string;
  /** Its error message, or null. */
  readonly error: string | null;
  /** The HTTP status that it reported, or null. */
  readonly status: number | null;
  /** Whether it reported that it finished; exit code 0 alone proves nothing. */
  readonly isComplete: boolean;
  readonly usage: CallTokens;
  /** By the agent's own calculation; null if it reports none. */
  readonly costUsd: number | null;
};

/** Trouble that a program reports while it retries by itself. */
export type Sign = {
  /** Null if it reported none, or there was no answer. */
  readonly status: number | null;
  /** For the user, starting with a verb: "retries after 401, 2 of 10". */
  readonly says: string;
  /** Whether it has already tried again. */
  readonly isRepeated: boolean;
  /** Whether it retries for as long as the trouble lasts. */
  readonly isEndless: boolean;
};

/** What went wrong, which decides what to do. */
export type Failure =
  | 'sign_in'
  | 'quota'
  | 'rate_limit'
  | 'overloaded'
  | 'server'
  | 'no_network'
  | 'no_model'
  | 'refusal'
  | 'request';

export type FailureWords = { readonly failure: Failure; readonly words: RegExp };

export const NO_USAGE: CallTokens = { input: null, cacheRead: null, cacheWrite: null, output: null };
export const NO_OUTPUT: AgentOutput = {
  ...{ text: '', error: null, status: null, isComplete: false, usage: NO_USAGE, costUsd: null },
};

/** The object on a line; null for plain text, which agents also print. */
export function parseLine(line: string): Json | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Json;
  } catch {
    return null;
  }
}

/** The HTTP status that a text names; null if it names none. Its digits are the pattern's group. */
export function statusIn(text: string, pattern: RegExp): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The tokens of an input that were not read from a cache, where a program counts them all. */
export function uncached(all: number | null, cached: number | null): number | null {
  return all === null ? null : all - (cached ?? 0);
}

export function total(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (asNumber(value) ?? 0), 0);
}

export function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
