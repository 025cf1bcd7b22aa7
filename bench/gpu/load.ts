import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findProgram } from '../../src/engine/process/find-program.ts';

/** Limit for loading PyTorch and starting CUDA. */
const START_MS = 300_000;

/** Multiplies matrices until it is killed or its parent is gone. */
const PROGRAM = `import os, torch
parent = os.getppid()
a = torch.randn(2048, 2048, device="cuda")
torch.cuda.synchronize()
print("computing", flush=True)
while os.getppid() == parent:
    for _ in range(20):
        b = a @ a
    torch.cuda.synchronize()
`;

export type Load = {
  readonly pid: number;
  /** Kills it; resolves once it is gone. May be called again. */
  stop(): Promise<void>;
};

/** Starts a second process that computes on a GPU. Rejects if it ends before that, or the signal aborts. */
export async function startLoad(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Load> {
  const python = (await findProgram('python3', environment.PATH ?? '')) ?? 'python3';
  const child = spawn(python, ['-c', PROGRAM], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = once(child, 'close').catch(() => {});
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await gone;
    process.off('exit', kill);
  };
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    said = `${said}${text}`.slice(-1000);
  });
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const lines = createInterface({ input: child.stdout });
    const isComputing = await Promise.race([
      once(lines, 'line', { signal: limit }).then(() => true),
      gone.then(() => false),
    ]);
    if (!isComputing || child.pid === undefined) {
      throw new Error(`The second process ended at once: ${said.trim().split('\n').at(-1)}`);
    }
    return { pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
