import type { GpuSample } from '../../shared/machines/telemetry.ts';
import { readMarker, readProcess } from '../process/process-table.ts';

/** A process on a GPU that does not belong to the run. */
export type ForeignProcess = {
  readonly pid: number;
  readonly name: string;
  /** The number of samples in which it was seen. */
  readonly samples: number;
  readonly memoryMib: number | null;
};

type Seen = { readonly name: string; readonly isOwn: boolean; samples: number; memoryMib: number | null };

/** Maximum depth of a process tree. */
const MAX_DEPTH = 100;

/** Distinguishes the processes of one run on a GPU from others. */
export class ForeignProcesses {
  readonly #marker: string;
  readonly #seen = new Map<number, Promise<Seen | null>>();
  #root: number | null = null;

  /** @param marker the run's marker, which its processes carry; see `runMarker` */
  constructor(marker: string) {
    this.#marker = marker;
  }

  /** Descendants of this process belong to the run, even if they hide their environment. */
  isBelow(root: number): void {
    this.#root = root;
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

  /** `isUsed`: whether the run itself was seen on the GPU; null if processes are not reported. */
  async list(): Promise<{
    readonly foreign: readonly ForeignProcess[];
    readonly isUsed: boolean | null;
    /** The number of samples in which the run was seen there. */
    readonly ownSamples: number;
  }> {
    const all = await Promise.all([...this.#seen].map(async ([pid, seen]) => ({ pid, seen: await seen })));
    const known = all.flatMap(({ pid, seen }) => (seen ? [{ pid, ...seen }] : []));
    return {
      foreign: known.filter(({ isOwn }) => !isOwn).map(({ isOwn: _, ...rest }) => rest),
      isUsed: known.length === 0 ? null : known.some(({ isOwn }) => isOwn),
      ownSamples: Math.max(0, ...known.filter(({ isOwn }) => isOwn).map(({ samples }) => samples)),
    };
  }

  /** Null if nothing is visible about it: it may be in another namespace. */
  async #look(pid: number): Promise<Seen | null> {
    const info = readProcess(pid);
    if (info === null) return null;
    const isOwn = (await readMarker(pid)) === this.#marker || this.#descends(pid);
    return { name: info.name, isOwn, samples: 0, memoryMib: null };
  }

  #descends(pid: number): boolean {
    let at = pid;
    for (let depth = 0; depth < MAX_DEPTH && at > 1; depth += 1) {
      if (at === this.#root) return true;
      at = readProcess(at)?.parent ?? 0;
    }
    return false;
  }
}
