import { type ChildProcess, spawn } from 'node:child_process';
import { PAWL_MAIN } from '../../../test/support/pawl-command.ts';

/** A server that is told to end and does not is ended after this long. */
const END_MS = 60_000;

export type ServerOptions = {
  /** The data folder (PAWL_HOME). */
  readonly home: string;
  /** 0 is any free port. */
  readonly port?: number;
  /** PAWL_SERVE_TOKEN; a random one where none is given. */
  readonly token?: string;
  /** PAWL_SANDBOX. */
  readonly sandbox?: string;
  /** A folder of programs that are found before the machine's own. */
  readonly programs?: string;
};

/** A `pawl serve` of its own process. */
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

  /** Resolves once it serves. */
  static async start({ home, port = 0, token, sandbox = 'off', programs }: ServerOptions): Promise<Server> {
    const child = spawn(process.execPath, [PAWL_MAIN, 'serve', '--port', String(port)], {
      cwd: home,
      env: {
        ...process.env,
        // Trainings of the tests are held and let go through files outside of their worktree.
        PAWL_SANDBOX: sandbox,
        PAWL_VERDICT: 'greedy',
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

  /** kill -9: no chance to tidy up. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends it as a user would; a training it has is stopped. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
