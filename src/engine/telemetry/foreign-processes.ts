import { readFile } from 'node:fs/promises';
import type { GpuSample } from '../../shared/telemetry.ts';
import { readMarker } from '../training/process-table.ts';

type Seen = { name: string; samples: number; memoryMib: number | null };

/** Counts the processes on a GPU that are not of one run, told by the mark that every process of a run carries. */
export class ForeignProcesses {
  readonly #marker: string;
  readonly #seen = new Map<number, Promise<Seen | null>>();

  /** @param marker the run's, see `runMarker` */
  constructor(marker: string) {
    this.#marker = marker;
  }

  add({ processes = [] }: GpuSample): void {
    for (const { pid, memoryMib = null } of processes) {
      const seen = this.#seen.get(pid) ?? this.#look(pid);
      this.#seen.set(
        pid,
        seen.then(found => {
          if (!found) return null;
          found.samples += 1;
          if (memoryMib !== null) found.memoryMib = Math.max(found.memoryMib ?? 0, memoryMib);
          return found;
        }),
      );
    }
  }

  async list(): Promise<readonly ({ readonly pid: number } & Readonly<Seen>)[]> {
    const all = await Promise.all([...this.#seen].map(async ([pid, seen]) => ({ pid, seen: await seen })));
    return all.flatMap(({ pid, seen }) => (seen ? [{ pid, ...seen }] : []));
  }

  /** Null for a process of the run, and for one of which nothing can be seen: it may be of another namespace. */
  async #look(pid: number): Promise<Seen | null> {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => null);
    if (name === null) return null;
    // What belongs to somebody else does not show its environment, and is not of the run.
    if ((await readMarker(pid)) === this.#marker) return null;
    return { name: name.trim(), samples: 0, memoryMib: null };
  }
}
