import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { PYTHON } from './python.ts';

/** The folder that provides `import pawl_score`. */
export const SCORER_LIBRARY = fileURLToPath(new URL('../../resources/scorer', import.meta.url));

export type Program = {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Its working folder; by default the current one. */
  readonly cwd?: string;
};

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Scored = {
  /** The score that the scorer reported; null if it failed, or wrote no line. */
  readonly score: Readonly<Record<string, number>> | null;
  readonly scorer: Ended;
  readonly model: Ended | null;
};

export type Scoring = {
  readonly ended: Promise<Scored>;
  readonly model: ChildProcess | null;
};

/** A Python program given as text. */
export const python = (code: string): Program => ({ argv: [PYTHON, '-B', '-c', code] });

/**
 * Starts a scorer and a model program connected to it by a socket, in place of the engine's pair of pipes, and
 * without jails.
 * @param models the number of model programs
 */
export function startScoring(
  scorer: Program,
  model: Program | null,
  artifacts = '/nonexistent',
  models = 1,
): Scoring {
  const variables = { PAWL_ARTIFACTS: artifacts, PAWL_MODEL_FDS: '3,3' };
  const asked = model ? Array.from({ length: models }, () => start(model, variables, ['pipe'])) : [];
  const sockets = asked.map(each => each.stdio[3] as Socket);
  const leads = ['PAWL_MODEL_FDS', 'PAWL_TWIN_FDS']
    .slice(0, models)
    .map((name, at) => [name, `${4 + at},${4 + at}`]);
  const told = { PAWL_SCORE_FD: '3', ...(model && Object.fromEntries(leads)) };
  const asking = start(scorer, { PAWL_ARTIFACTS: artifacts, ...told }, ['pipe', ...sockets]);
  // In the same turn, or this process would read data meant for the scorer.
  for (const socket of sockets) socket.destroy();
  const ends = [endOf(asking), textOf(asking.stdio[3] as Readable), Promise.all(asked.map(endOf))] as const;
  const ended = Promise.all(ends).then(([scorer, line, models]) => ({
    score: scorer.code === 0 && /^.+\n$/.test(line) ? JSON.parse(line) : null,
    scorer,
    model: models[0] ?? null,
  }));
  return { ended, model: asked[0] ?? null };
}

/** The result of a scorer given as text, with its model program. */
export const score = (scorer: string, model: string | null = null, artifacts?: string): Promise<Scored> =>
  startScoring(python(scorer), model === null ? null : python(model), artifacts).ended;

/** Expects no score, and one sentence that says why. */
export function expectRefusal({ score, scorer }: Scored, sentence: RegExp): void {
  expect(scorer.stderr).toMatch(sentence);
  expect(scorer.stderr).toMatch(/^[\x20-\x7e]+\.\n$/);
  expect(scorer.code).toBe(1);
  expect(score).toBeNull();
}

function start(
  { argv: [program, ...args], cwd }: Program,
  variables: Readonly<Record<string, string>>,
  more: readonly ('pipe' | Socket)[],
): ChildProcess {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PYTHONPATH: SCORER_LIBRARY, PYTHONDONTWRITEBYTECODE: '1', ...variables },
    stdio: ['ignore', 'pipe', 'pipe', ...more],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const part of stream.setEncoding('utf8')) text += part;
  return text;
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const code = new Promise<number | null>(resolve => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map(each => textOf(each as Readable)),
  );
  return { code: await code, stdout: stdout ?? '', stderr: stderr ?? '' };
}
