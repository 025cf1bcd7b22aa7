import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Where `import pawl_score` leads to. */
export const SCORER_LIBRARY = fileURLToPath(new URL('../../resources/scorer', import.meta.url));

export type Program = {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Where it runs; here, if left out. */
  readonly cwd?: string;
};

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Scored = {
  /** What the scorer reported; null where it failed, or wrote no line. */
  readonly score: Readonly<Record<string, number>> | null;
  readonly scorer: Ended;
  readonly model: Ended | null;
};

export type Scoring = {
  readonly ended: Promise<Scored>;
  readonly model: ChildProcess | null;
};

/** What `python3` leads to, without what looks that up at each start. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/** Python that is given as text. */
export const python = (code: string): Program => ({ argv: [PYTHON, '-B', '-c', code] });

/** Starts a scorer, and a model program joined to it by a socket, as the engine does but for the jails. */
export function startScoring(scorer: Program, model: Program | null, artifacts = '/nonexistent'): Scoring {
  const asked = model && start(model, { PAWL_ARTIFACTS: artifacts, PAWL_MODEL_FD: '3' }, ['pipe']);
  const socket = asked?.stdio[3] as Socket | undefined;
  const variables = { PAWL_ARTIFACTS: artifacts, PAWL_SCORE_FD: '3', ...(socket && { PAWL_MODEL_FD: '4' }) };
  const asking = start(scorer, variables, ['pipe', ...(socket ? [socket] : [])]);
  // In the same turn, or this process would read what is meant for the scorer.
  socket?.destroy();
  const ended = Promise.all([endOf(asking), textOf(asking.stdio[3] as Readable), asked && endOf(asked)]);
  return {
    ended: ended.then(([scorer, line, model]) => ({
      score: scorer.code === 0 && /^.+\n$/.test(line) ? JSON.parse(line) : null,
      scorer,
      model,
    })),
    model: asked,
  };
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
