import { chownSync, readSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { type IPty, spawn } from 'node-pty';

const CHUNK_BYTES = 65_536;
/**
 * How much is still read from a terminal whose programs keep printing after the training's end. The kernel buffers
 * far less.
 */
const MAX_DRAIN_BYTES = 16 * 1024 ** 2;

/** The user that the programs on a terminal run as, if it is another than Pawl's. */
export type Owner = { readonly uid: number; readonly gid: number };

/** Members of node-pty's terminals that its types leave out: the stream it reads with, its descriptor, the device. */
type Inside = { readonly _socket: ReadStream; readonly fd: number; readonly ptsName: string };

export type TerminalOptions = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** The new owner of the device; null keeps Pawl's user. */
  readonly owner: Owner | null;
  readonly onData: (chunk: Buffer) => void;
};

/**
 * Starts a program on its own terminal and reads everything printed there. node-pty closes a terminal 200 ms after
 * its program ended, read or not (1.2.0-beta.15, `unixTerminal.js`), so that a busy event loop would lose the last
 * lines; this function reads the rest first. Throws if the program cannot be started.
 */
export function openTerminal(options: TerminalOptions): IPty {
  const { program, args, cwd, environment, columns, rows, owner, onData } = options;
  const pty = spawn(program, [...args], {
    cwd,
    env: { ...environment },
    // With null it passes on bytes, although its types say strings.
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
 * Passes on everything that has been printed. The kernel moves pending output to the reader before it reports that
 * there is none (`n_tty_read` in drivers/tty/n_tty.c), so nothing printed before this call is left.
 */
function drain(stream: ReadStream, fd: number, onData: (chunk: Buffer) => void): void {
  // First comes what was read while paused; reading it notifies the stream's listeners.
  while (stream.read() !== null);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let total = 0; total < MAX_DRAIN_BYTES; ) {
    let bytes = 0;
    try {
      bytes = readSync(fd, chunk);
    } catch {
      // EAGAIN: there is nothing more at the moment. EIO: there will never be more.
    }
    if (bytes === 0) return;
    total += bytes;
    onData(Buffer.from(chunk.subarray(0, bytes)));
  }
}
