import { realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename } from 'node:path';
import type { Study } from '../../shared/study.ts';
import type { DataPaths } from '../paths.ts';

/** What a text for others must not reveal about this machine. */
export type Private = {
  /** Absolute paths, each with its replacement. */
  readonly paths: readonly (readonly [string, string])[];
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Names of variables that hold keys. */
const SECRET_NAME = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)/i;
/** A shorter value could occur in any text. */
const LEAST_SECRET = 8;
/** Keys by their format: Anthropic and OpenAI, GitHub, Hugging Face, newer ones of Weights & Biases, Slack, AWS. */
const KEY_FORMS =
  /\b(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|hf_[A-Za-z0-9]{20,}|wandb_v\d_\w{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16})\b/g;
const HIDDEN = '[hidden]';

/** The text without this machine's paths and without keys; the output of a training or a model may contain both. */
export function forOthers(text: string, { paths, environment }: Private): string {
  const secrets = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && value.length >= LEAST_SECRET && SECRET_NAME.test(name) ? [value] : [],
  );
  const replaced: readonly (readonly [string, string])[] = [
    ...paths.filter(([path]) => path.length > 1).toSorted(([a], [b]) => b.length - a.length),
    ...secrets.map(secret => [secret, HIDDEN] as const),
  ];
  return replaced.reduce((rest, [from, to]) => rest.replaceAll(from, to), text).replaceAll(KEY_FORMS, HIDDEN);
}

/** Removes what a study's texts must not reveal about this machine. */
export function hider(
  study: Pick<Study, 'repositoryPath' | 'gitDir'>,
  paths: DataPaths,
  environment: Private['environment'],
): (text: string) => string {
  const hidden = { paths: pathsOf(study, paths), environment };
  return text => forOthers(text, hidden);
}

function pathsOf(
  { repositoryPath, gitDir }: Pick<Study, 'repositoryPath' | 'gitDir'>,
  { home }: DataPaths,
): readonly (readonly [string, string])[] {
  const repository = basename(repositoryPath);
  const paths = [
    [repositoryPath, repository],
    // In a linked worktree, this folder is not inside the checkout.
    [gitDir, `${repository}/.git`],
    [home, 'PAWL_HOME'],
    [homedir(), '~'],
    [tmpdir(), 'TMP'],
  ] as const;
  // Programs print a path with or without its symbolic links.
  return paths.flatMap(([path, word]) => [[path, word] as const, [withoutLinks(path), word] as const]);
}

function withoutLinks(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    // The path no longer exists.
    return path;
  }
}

/** A copy of the value with every text in it changed. */
export function hideIn<T>(value: T, hide: (text: string) => string): T {
  if (typeof value === 'string') return hide(value) as T;
  if (value instanceof Map) return new Map([...value].map(([key, text]) => [key, hideIn(text, hide)])) as T;
  if (Array.isArray(value)) return value.map(item => hideIn(item, hide)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideIn(item, hide)])) as T;
}
