import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PawlError } from '../../../shared/errors.ts';
import { quote } from '../quote.ts';

/** The exit code of ssh if it has failed itself, and not the remote command. Source: ssh(1). */
const SSH_FAILED = 255;
const LIMIT_MS = 120_000;
const MAX_BYTES = 16 * 1024 * 1024;

export type SshAnswer =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: Buffer; readonly stderr: string }
  /** There is no connection; `message` is the message of ssh. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** Commands on one host in the user's ssh configuration. Keys, agents, jump hosts and known hosts are left to ssh. */
export class SshClient {
  readonly host: string;
  readonly #options: readonly string[];

  private constructor(host: string, options: readonly string[]) {
    this.host = host;
    this.#options = options;
  }

  /**
   * Rejects with `usage` for a name that is none of a host.
   * @param more further options of ssh
   */
  static async open(host: string, more: readonly string[] = []): Promise<SshClient> {
    if (!/^(?!-)[\w.@-]{1,200}$/.test(host)) throw new PawlError('usage', `"${host}" is not a host name.`);
    return new SshClient(host, [
      ...more,
      // Nobody is there to answer a prompt.
      ...['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20'],
      // All commands share one connection, and a dead one is noticed.
      ...[
        '-o',
        'ControlMaster=auto',
        '-o',
        `ControlPath=${await socketFolder()}/%C`,
        '-o',
        'ControlPersist=60',
      ],
      ...['-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'],
      ...['-o', 'ForwardAgent=no', '-o', 'ForwardX11=no', '-o', 'ClearAllForwardings=yes'],
    ]);
  }

  /** For git, which adds the host. */
  get commandLine(): string {
    return ['ssh', ...this.#options].map(quote).join(' ');
  }

  /**
   * Runs a line of POSIX shell there. If the signal is aborted, the answer is not awaited: the host counts as
   * unreachable.
   */
  run(line: string, stdin: Readable | string = '', signal?: AbortSignal): Promise<SshAnswer> {
    const options = {
      ...(signal ? { signal } : {}),
      ...{ timeout: LIMIT_MS, killSignal: 'SIGKILL' as const },
      ...{ maxBuffer: MAX_BYTES, encoding: 'buffer' as const },
    };
    return new Promise(resolve => {
      const child = execFile('ssh', this.#args(line), options, (error, stdout, buffer) => {
        const stderr = buffer.toString('utf8').trim().slice(-1_000);
        const code = error === null ? 0 : error.code;
        if (typeof code !== 'number' || code === SSH_FAILED)
          resolve({ kind: 'unreachable', message: `ssh ${this.host}: ${stderr || error?.message}` });
        else resolve({ kind: 'ended', code, stdout, stderr });
      });
      child.stdin?.on('error', () => {});
      if (!child.stdin) return;
      if (typeof stdin === 'string') child.stdin.end(stdin);
      else stdin.pipe(child.stdin);
    });
  }

  /** Starts a command line there and delivers its output as it is printed. */
  start(line: string): ChildProcess {
    return spawn('ssh', this.#args(line), { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Ends the shared connection. */
  async close(): Promise<void> {
    await new Promise<void>(resolve => {
      execFile('ssh', [...this.#options, '-O', 'exit', this.host], () => resolve());
    });
  }

  #args(line: string): readonly string[] {
    return [...this.#options, '-T', '--', this.host, `exec /bin/sh -c ${quote(line)}`];
  }
}

/** A path short enough for a socket, in a folder that nobody else can enter. */
async function socketFolder(): Promise<string> {
  const folder = join(tmpdir(), `pawl-ssh-${process.getuid?.() ?? ''}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const isOwn = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!isOwn) throw new PawlError('data_folder_unusable', `${folder} is not a folder of yours alone.`);
  return folder;
}
