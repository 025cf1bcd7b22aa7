import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { type EngineEvent, eventSchema } from '../../src/shared/events.ts';
import { TEST_LIMIT_MS } from './clock.ts';
import { PAWL_MAIN } from './pawl-command.ts';

export type PawlOptions = {
  /** The data folder (PAWL_HOME). */
  readonly home: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type PawlResult = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A started terminal host; it ends with the test. */
export function startPawl(args: readonly string[], options: PawlOptions): ChildProcess {
  const child = spawn(process.execPath, [PAWL_MAIN, ...args], {
    cwd: options.cwd ?? options.home,
    env: {
      ...process.env,
      NO_COLOR: '1',
      FORCE_COLOR: undefined,
      NODE_OPTIONS: undefined,
      VITEST: undefined,
      ...options.env,
      PAWL_HOME: options.home,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** Runs the terminal host to its end. */
export async function pawl(args: readonly string[], options: PawlOptions): Promise<PawlResult> {
  const child = startPawl(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', text => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs a sitting (`run`, `resume`, `demo`) with `--json` and returns its events with the result. */
export async function sitting(
  args: readonly string[],
  options: PawlOptions,
): Promise<PawlResult & { readonly events: readonly EngineEvent[] }> {
  const result = await pawl([...args, '--json'], options);
  const events = result.stdout
    .split('\n')
    .filter(Boolean)
    .map(line => eventSchema.parse(JSON.parse(line)));
  return { ...result, events };
}

export function eventsOf<T extends EngineEvent['type']>(
  events: readonly EngineEvent[],
  type: T,
): readonly Extract<EngineEvent, { type: T }>[] {
  return events.filter((event): event is Extract<EngineEvent, { type: T }> => event.type === type);
}

/** A sitting that is still running. */
export class RunningPawl {
  readonly child: ChildProcess;
  readonly events: EngineEvent[] = [];
  stderr = '';
  readonly ended: Promise<PawlResult>;
  #waiting: {
    accepts: (event: EngineEvent) => boolean;
    resolve: (event: EngineEvent) => void;
    reject: (error: Error) => void;
  }[] = [];

  constructor(args: readonly string[], options: PawlOptions) {
    this.child = startPawl([...args, '--json'], options);
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.stderr += text;
    });
    const stdout = this.child.stdout;
    if (!stdout) throw new Error('no stdout');
    createInterface({ input: stdout }).on('line', line => {
      // A killed engine may leave half a line.
      const json = (() => {
        try {
          return JSON.parse(line) as unknown;
        } catch {
          return null;
        }
      })();
      if (json === null) return;
      const event = eventSchema.parse(json);
      this.events.push(event);
      for (const waiter of this.#waiting.filter(({ accepts }) => accepts(event))) {
        this.#waiting = this.#waiting.filter(other => other !== waiter);
        waiter.resolve(event);
      }
    });
    this.ended = new Promise(resolve => {
      this.child.on('close', (code, signal) => {
        for (const { reject } of this.#waiting)
          reject(new Error(`pawl ended (${code ?? signal}): ${this.stderr}`));
        resolve({ code, signal, stdout: '', stderr: this.stderr });
      });
    });
  }

  /** The first event, past or to come, that `accepts` takes. Rejects when pawl ends without one, and after {@link TEST_LIMIT_MS}. */
  async waitFor(accepts: (event: EngineEvent) => boolean): Promise<EngineEvent> {
    const past = this.events.find(accepts);
    if (past) return past;
    const { promise, resolve, reject } = Promise.withResolvers<EngineEvent>();
    this.#waiting.push({ accepts, resolve, reject });
    const last = () => JSON.stringify(this.events.at(-1));
    const giveUp = setTimeout(() => reject(new Error(`no such event; the last: ${last()}`)), TEST_LIMIT_MS);
    return promise.finally(() => clearTimeout(giveUp));
  }

  /** Sends SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
