import { appendFile, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { EngineEvent } from '../../shared/events.ts';
import { stripControl } from '../metrics/line-splitter.ts';
import { type ProcessResult, runProcess } from '../process/run-process.ts';
import type { UserSettings } from '../user-settings.ts';

type Name = keyof UserSettings['hooks'];

const NAME_OF: Readonly<Partial<Record<EngineEvent['type'], Name>>> = {
  run_started: 'before',
  verdict: 'after',
  new_best: 'best',
  study_stopped: 'ended',
};

const TIMEOUT_SECONDS = 60;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** For all hooks of a study; later output is dropped. */
const MAX_LOG_BYTES = 4 * 1024 ** 2;
/**
 * At the end of a sitting, the hooks of earlier events have this much longer, all together; events that still wait
 * after that are dropped.
 */
const LAST_MS = 10_000;
/** How many events may wait: a hook slower than the experiments would fall further and further behind. */
const MAX_WAITING = 50;

type Ports = {
  readonly hooks: UserSettings['hooks'];
  /** The study's folder. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Its processes carry this marker, so that the next start finds those that a killed engine left. */
  readonly marker: string;
  /** Called once for each hook that fails. */
  readonly onFailure: (message: string) => void;
};

type Told = {
  readonly name: Name;
  readonly command: readonly [string, ...string[]];
  readonly event: EngineEvent;
  readonly signal: AbortSignal;
};

/**
 * Runs commands from the user's settings when something happens, with the event as JSON on stdin, one after the other
 * in the order of events. Only the end of a sitting waits for them, and they cannot stop anything.
 */
export class Hooks {
  readonly #ports: Ports;
  readonly #failed = new Set<Name>();
  readonly #waiting: Told[] = [];
  #running: Promise<void> | null = null;
  #hurry = new AbortController();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  tell(event: EngineEvent): void {
    const name = NAME_OF[event.type];
    const command = name && this.#ports.hooks[name];
    if (event.type === 'study_stopped') {
      const hurry = this.#hurry;
      if (this.#running) setTimeout(() => hurry.abort(), LAST_MS).unref();
      this.#hurry = new AbortController();
    }
    if (!command) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#fail(name, `${MAX_WAITING} events already wait for it; this one was dropped.`);
      return;
    }
    this.#waiting.push({ name, command, event, signal: this.#hurry.signal });
    this.#running ??= this.#work();
  }

  /** Resolves once all started commands have ended. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    for (let told = this.#waiting.shift(); told; told = this.#waiting.shift()) {
      const { name, signal } = told;
      const run = signal.aborted ? Promise.reject(signal.reason) : this.#run(told);
      await run.catch(error =>
        this.#fail(
          name,
          signal.aborted ? 'It was stopped when the sitting ended.' : (error as Error).message,
        ),
      );
    }
    this.#running = null;
  }

  async #run({ name, command, event, signal }: Told): Promise<void> {
    const { environment, folder, marker } = this.#ports;
    const result = await runProcess(
      {
        argv: command,
        cwd: environment.HOME || homedir(),
        environment,
        input: `${JSON.stringify(event)}\n`,
        timeoutSeconds: TIMEOUT_SECONDS,
        maxBytes: MAX_OUTPUT_BYTES,
        what: `The hook ${name}`,
      },
      { marker, signal },
    );
    await keep(folder, name, event, result).catch(() => {
      // On a full disk, the output is lost.
    });
    if (result.kind === 'failed') this.#fail(name, result.message);
  }

  #fail(name: Name, message: string): void {
    if (this.#failed.has(name)) return;
    this.#failed.add(name);
    this.#ports.onFailure(`The hook ${name} of your settings failed: ${stripControl(message).slice(0, 500)}`);
  }
}

async function keep(folder: string, name: Name, event: EngineEvent, result: ProcessResult): Promise<void> {
  const path = join(folder, 'hooks.log');
  const size = await stat(path).then(
    found => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) return;
  const end = result.kind === 'output' ? 'done' : result.message;
  const output = stripControl(`${result.stdout}${result.stderr}`.trimEnd());
  await mkdir(folder, { recursive: true });
  await appendFile(
    path,
    `${new Date(event.at).toISOString()} ${name} (${event.type}): ${end}\n${output === '' ? '' : `${output}\n`}`,
  );
}
