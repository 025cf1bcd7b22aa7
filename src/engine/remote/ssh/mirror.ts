import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Standing } from '../follow-job.ts';
import { type JobFolder, writeWhole } from '../job-folder.ts';
import { quote } from '../quote.ts';
import { rest } from '../rest.ts';
import type { SshClient } from './ssh-client.ts';

/** The reports of pawl_follow.py, one per line. */
const told = z.union([
  z.strictObject({ log: z.base64().max(1024 * 1024) }),
  z.strictObject({ state: z.string().max(1024 * 1024) }),
  z.strictObject({ outcome: z.string().max(8 * 1024 * 1024) }),
  z.strictObject({ alive: z.boolean() }),
]);

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export type MirrorOptions = {
  readonly client: SshClient;
  /** The folder on this machine; the run's files are copied into it. */
  readonly folder: JobFolder;
  /** The same folder on the host, below its home. */
  readonly place: string;
  /** A host that cannot be reached for this long is given up. */
  readonly goneMs: number;
  readonly listener: (standing: Standing) => void;
  /**
   * Fetches the wanted files of a finished run before its outcome becomes visible here. False if there is no
   * connection.
   */
  readonly fetchRest: (signal: AbortSignal) => Promise<boolean>;
};

/** State of a job whose host could no longer be reached. */
export const HOST_GONE = 'HOST_GONE';

/**
 * Keeps a local folder in step with the folder of a run on a host, over as many connections as it takes. Returns a
 * function that ends this.
 */
export function mirror(options: MirrorOptions): () => void {
  const ended = new AbortController();
  void keepUp(options, ended.signal).catch(error => {
    if (!ended.signal.aborted)
      options.listener({ kind: 'unreachable', message: String((error as Error).message ?? error) });
  });
  return () => ended.abort();
}

async function keepUp(options: MirrorOptions, signal: AbortSignal): Promise<void> {
  const { listener, goneMs } = options;
  let heardAt = performance.now();
  for (let pause = MIN_PAUSE_MS; !signal.aborted; ) {
    const end = await listen(options, signal, () => {
      heardAt = performance.now();
      pause = MIN_PAUSE_MS;
    });
    if (end === 'outcome' || signal.aborted) return;
    if (performance.now() - heardAt > goneMs) listener({ kind: 'over', state: HOST_GONE });
    else listener({ kind: 'unreachable', message: end });
    await rest(pause, signal);
    pause = Math.min(2 * pause, MAX_PAUSE_MS);
  }
}

/** One connection, from beginning to end; returns why it ended. */
async function listen(
  { client, folder, place, listener, fetchRest }: MirrorOptions,
  signal: AbortSignal,
  onHeard: () => void,
): Promise<'outcome' | string> {
  const log = join(folder.path, 'output.log');
  const { size } = await stat(log).catch(() => ({ size: 0 }));
  const child = client.start(`python3 ${place}/pawl_follow.py ${place} ${size}`);
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', text => {
    said = (said + text).slice(-1_000);
  });
  child.on('error', error => {
    said = error.message;
  });
  try {
    if (!child.stdout) return said;
    for await (const line of createInterface({ input: child.stdout })) {
      const parsed = told.safeParse(parse(line));
      if (!parsed.success || signal.aborted) continue;
      const what = parsed.data;
      onHeard();
      if ('log' in what) await appendFile(log, Buffer.from(what.log, 'base64'), { mode: 0o600 });
      else if ('state' in what) await writeWhole(join(folder.path, 'state.json'), what.state);
      else if ('alive' in what) listener(what.alive ? { kind: 'active' } : { kind: 'over', state: null });
      else if (await fetchRest(signal)) {
        await writeWhole(join(folder.path, 'outcome.json'), what.outcome);
        return 'outcome';
      }
    }
    return `ssh ${client.host}: ${said.trim() || 'the connection was lost'}`;
  } catch (error) {
    // A write that fails now may succeed later.
    return String((error as Error).message);
  } finally {
    signal.removeEventListener('abort', stop);
    child.kill('SIGKILL');
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** A path below the host's home, as a word for its shell: `~` stays unquoted. */
export function homePath(path: string): string {
  return `~/${quote(path)}`;
}
