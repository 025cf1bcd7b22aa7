import { chownSync, readSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { type IPty, spawn } from 'node-pty';

const CHUNK_BYTES = 65_536;
/** One that still prints after its training ended is not listened to for ever. A kernel keeps far less than this. */
const MAX_DRAIN_BYTES = 16 * 1024 ** 2;

/** Who the programs on a terminal run as, where that is not who Pawl runs as. */
export type Owner = { readonly uid: number; readonly gid: number };

/** What node-pty's terminals have beside what its types tell: the stream it reads with, its descriptor, the device. */
type Inside = { readonly _socket: ReadStream; readonly fd: number; readonly ptsName: string };

export type TerminalOptions = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** Whom the device is given to; null leaves it to who Pawl runs as. */
  readonly owner: Owner | null;
  readonly onData: (chunk: Buffer) => void;
};

/**
 * Starts a program on a terminal of its own and reads all that is printed there. node-pty closes a terminal 200 ms after its
 * program ended, read or not (1.2.0-beta.15, `unixTerminal.js`), so that a busy event loop loses the last lines: what is
 * left is read here before that. Throws where the program cannot be started.
 */
export function openTerminal(options: TerminalOptions): IPty {
  const { program, args, cwd, environment, columns, rows, owner, onData } = options;
  const pty = spawn(program, [...args], {
    cwd,
    env: { ...environment },
    // It hands over bytes then, whatever its types say.
    encoding: null,
    cols: columns,
    rows,
  });
  const { _socket: stream, fd, ptsName } = pty as unknown as Inside;
  try {
    if (owner) chownSync(ptsName, owner.uid, owner.gid);
  } catch (error) {
    pty.kill('SIGKILL');
    throw error;
  }
  pty.onData(data => onData(data as unknown as Buffer));
  const destroy = stream.destroy.bind(stream);
  stream.destroy = error => {
    if (!stream.destroyed) drain(stream, fd, onData);
    return destroy(error);
  };
  return pty;
}

/**
 * Hands on everything that has been printed. The kernel moves what is on its way to the reader before it says that there is
 * nothing (`n_tty_read` in drivers/tty/n_tty.c), so nothing that was printed before this call is left.
 */
function drain(stream: ReadStream, fd: number, onData: (chunk: Buffer) => void): void {
  // What was read while paused comes first; reading it tells the stream's listeners.
  while (stream.read() !== null);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let total = 0; total < MAX_DRAIN_BYTES; ) {
    let bytes = 0;
    try {
      bytes = readSync(fd, chunk);
    } catch {
      // EAGAIN: there is nothing more. EIO: there will be nothing more.
    }
    if (bytes === 0) return;
    total += bytes;
    onData(Buffer.from(chunk.subarray(0, bytes)));
  }
}
