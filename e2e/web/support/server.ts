import { type ChildProcess, spawn } from 'node:child_process';
import { PAWL_MAIN } from '../../../test/support/pawl-command.ts';

/** A server that is told to end and does not is ended after this long. */
const END_MS = 60_000;

export type ServerOptions = {
  /** The data folder (PAWL_HOME). */
  readonly home: string;
  /** 0 means any free port. */
  readonly port?: number;
  /** PAWL_SERVE_TOKEN. By default, the server makes a random token. */
  readonly token?: string;
  /** PAWL_SANDBOX. */
  readonly sandbox?: string;
  /** PAWL_VERDICT. */
  readonly verdict?: 'honest' | 'greedy';
  /** A folder of programs that comes first in the PATH. */
  readonly programs?: string;
};

/** A `pawl serve` in its own process. */
export class Server {
  readonly child: ChildProcess;
  /** Everything it printed. */
  output = '';
  #url = '';
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = new Promise(resolve => child.on('close', () => resolve()));
  }

  /** Resolves when the server has printed its address. */
  static async start({
    home,
    port = 0,
    token,
    sandbox = 'off',
    verdict = 'greedy',
    programs,
  }: ServerOptions): Promise<Server> {
    const child = spawn(process.execPath, [PAWL_MAIN, 'serve', '--port', String(port)], {
      cwd: home,
      env: {
        ...process.env,
        // The tests pause trainings through files outside the worktree, which a sandbox would hide.
        PAWL_SANDBOX: sandbox,
        PAWL_VERDICT: verdict,
        NO_COLOR: '1',
        FORCE_COLOR: undefined,
        NODE_OPTIONS: undefined,
        ...(programs === undefined ? {} : { PATH: `${programs}:${process.env.PATH}` }),
        PAWL_HOME: home,
        PAWL_SERVE_TOKEN: token,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new Server(child);
    server.#url = await new Promise<string>((resolve, reject) => {
      const read = (text: Buffer) => {
        server.output += String(text);
        const url = /http:\S+/.exec(server.output)?.[0];
        if (url) resolve(url);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('close', code => reject(new Error(`pawl serve ended (${code}): ${server.output}`)));
    });
    return server;
  }

  /** The address it printed, with its token. */
  get url(): string {
    return this.#url;
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  get token(): string {
    return new URLSearchParams(new URL(this.#url).hash.slice(1)).get('token') ?? '';
  }

  /** Sends SIGKILL, so that the server cannot clean up. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends the server as a user would, which also stops its training. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
