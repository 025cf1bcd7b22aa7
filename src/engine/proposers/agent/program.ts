import type { CallTokens } from '../../../shared/model-calls.ts';
import type { AgentFolder } from '../../sandbox/agent-jail.ts';

/** What Pawl knows of an agent's program: how it is run once without questions, and how what it says is read. */
export type AgentProgram = {
  readonly title: string;
  readonly program: string;
  /** Added to the user's environment; undefined takes a variable out. */
  readonly environment: (asked: Asked) => Readonly<Record<string, string | undefined>>;
  /** Files it is given in a folder of its own, outside the work. */
  readonly files: Readonly<Record<string, string>>;
  /** Where a sign-in shows, and what to do about a missing one. It may also be in the system's keyring. */
  readonly signIn: {
    /** Below home. */
    readonly files: readonly string[];
    readonly variables: readonly string[];
    /** Whether its settings name a server that needs no sign-in of the program's own. */
    readonly isInSettings?: (read: (file: string) => Promise<string | null>) => Promise<boolean>;
    readonly how: string;
    /** Whether it must not be run without one, for it would go to a server that the user never chose. */
    readonly isNeeded: boolean;
  };
  /** Where it keeps its sign-in and its settings. */
  readonly folders: readonly AgentFolder[];
  /** Its own words for what went wrong, before those that all share. */
  readonly words: readonly FailureWords[];
  readonly how: CommandLine | Acp;
};

/** How it is asked this time. */
export type Asked = {
  /** null is the agent's own choice. */
  readonly model: string | null;
  /** The folder of {@link AgentProgram.files}. */
  readonly own: string;
  readonly isContained: boolean;
  readonly prompt: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Run once: the prompt goes to stdin, lines of JSON come from stdout. */
export type CommandLine = {
  readonly kind: 'command_line';
  readonly argv: (asked: Asked) => readonly string[];
  readonly read: (lines: readonly Json[]) => AgentOutput;
  /** What a line of its output or of its complaints says of how it fares while it works; null for nothing. */
  readonly watch: (line: string) => Sign | null;
};

/** The Agent Client Protocol, version 1, over stdin and stdout. */
export type Acp = {
  readonly kind: 'acp';
  readonly argv: (asked: Asked) => readonly string[];
  /** The mode in which it asks before it edits, where it has one. */
  readonly mode: (asked: Asked) => string | null;
  /** By which of its methods it is signed in before a session; null for by itself. */
  readonly signsInBy: (asked: Asked) => string | null;
  /** As in {@link CommandLine}. */
  readonly watch: (line: string) => Sign | null;
  /** How its model is chosen; null where the command line or the environment does that. */
  readonly model: 'option' | 'set_model' | null;
  /** `_meta` of a new session, and of what this side can do. */
  readonly meta: Json | null;
  readonly clientMeta: Json | null;
  /** Whether the tokens it reports with its answer are those of the whole turn. */
  readonly countsTurn: boolean;
};

export type Json = Readonly<Record<string, unknown>>;

export type AgentOutput = {
  /** Its last words; empty where it said none. */
  readonly text: string;
  /** What it complained of, or null. */
  readonly error: string | null;
  /** The HTTP status of the server's that it told, or null. */
  readonly status: number | null;
  /** Whether it reported that it finished; an exit code of 0 alone proves nothing. */
  readonly isComplete: boolean;
  readonly usage: CallTokens;
  /** As the agent reckons it; null where it does not. */
  readonly costUsd: number | null;
};

/** A line that reports trouble which the program is retrying by itself. */
export type Sign = {
  /** Null if it reported none, or there was no answer. */
  readonly status: number | null;
  /** In words for the user, beginning with a verb: "retries after 401, 2 of 10". */
  readonly says: string;
  /** Whether it has tried again already. */
  readonly isRepeated: boolean;
  /** Whether it will go on so for as long as the trouble lasts. */
  readonly isEndless: boolean;
};

/** What went wrong, and so what there is to do. */
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

/** The object that a line is; null for words, which agents mix with them. */
export function parseLine(line: string): Json | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Json;
  } catch {
    return null;
  }
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
