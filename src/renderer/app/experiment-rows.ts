import { ORPCError } from '@orpc/client';
import { useEffect, useSyncExternalStore } from 'react';
import type { Cell } from '../../shared/notebook.ts';
import {
  CONSTANTS_PAGE,
  type ConstantTexts,
  GPU_USE_PAGE,
  TABLE_PAGE,
  type TableRow,
} from '../../shared/table-rows.ts';
import { explain } from './explain.ts';
import { useStore } from './store.ts';
import { getClient } from './sync.ts';
import { toast } from './toast.ts';

/** Data read so far, by experiment number, and how many experiments are still being read. */
export type ExperimentRows<T> = {
  readonly study: string | null;
  readonly rows: ReadonlyMap<number, T>;
  readonly missing: number;
};

/** While pages arrive, listeners are notified at most this often. */
const TELL_MS = 400;
const NOTHING = { study: null, rows: new Map<number, never>(), missing: 0 };

type Ask<T> = (study: string, ns: readonly number[]) => Promise<readonly (readonly [number, T])[]>;

/** Reads data about every experiment of a study, page by page, and again for experiments that change. */
export class ExperimentReader<T> {
  readonly #page: number;
  readonly #ask: Ask<T>;
  /** An experiment is read again if this changes. */
  readonly #versionOf: (cell: Cell) => string;
  #study: string | null = null;
  #rows = new Map<number, T>();
  #versions = new Map<number, string>();
  #queue: readonly Cell[] = [];
  /** The versions that are being read, by experiment number. */
  #coming = new Map<number, string>();
  #isReading = false;
  /** Whether the user was told that a page of the study could not be read. */
  #hasGap = false;
  #told: ExperimentRows<T> = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(page: number, versionOf: (cell: Cell) => string, ask: Ask<T>) {
    this.#page = page;
    this.#ask = ask;
    this.#versionOf = versionOf;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly read = (): ExperimentRows<T> => this.#told;

  /** Keeps what is known about the study; starts over for another one. Newest experiments come first. */
  want(study: string, cells: readonly (Cell | undefined)[]): void {
    if (study !== this.#study) {
      this.#study = study;
      this.#rows = new Map();
      this.#versions = new Map();
      this.#coming = new Map();
      this.#hasGap = false;
    }
    this.#queue = cells.filter((cell): cell is Cell => {
      if (cell === undefined) return false;
      const version = this.#versionOf(cell);
      return this.#versions.get(cell.n) !== version && this.#coming.get(cell.n) !== version;
    });
    if (!this.#isReading) void this.#readOn();
    // Notify at once, so that data in transit is not mistaken for missing data.
    if (this.#told.study !== study || this.#told.missing !== this.#countMissing()) this.#tell();
  }

  /** How many are being read or waiting for it. */
  #countMissing(): number {
    return new Set([...this.#queue.map(({ n }) => n), ...this.#coming.keys()]).size;
  }

  async #readOn(): Promise<void> {
    this.#isReading = true;
    while (this.#queue.length > 0 && this.#study !== null) {
      const study = this.#study;
      const page = this.#queue.slice(-this.#page);
      this.#queue = this.#queue.slice(0, -this.#page);
      this.#coming = new Map(page.map(cell => [cell.n, this.#versionOf(cell)]));
      try {
        const rows = await this.#ask(
          study,
          page.map(({ n }) => n),
        );
        if (study !== this.#study) continue;
        for (const [n, version] of this.#coming) this.#versions.set(n, version);
        for (const [n, row] of rows) this.#rows.set(n, row);
      } catch (error) {
        // These waiting requests belong to another study by now.
        if (study !== this.#study) continue;
        // Lost connections have their own notice and retry on reconnecting; so do new cells.
        if (error instanceof ORPCError) this.#tellOfGap(error);
        else this.#queue = [];
      }
      this.#coming = new Map();
      if (this.#queue.length === 0) this.#tell();
      else this.#tellSoon();
    }
    this.#isReading = false;
  }

  #tellOfGap(error: unknown): void {
    if (!this.#hasGap) toast.error(`Some experiments could not be read: ${explain(error)}`, { id: 'gap' });
    this.#hasGap = true;
  }

  #tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = { study: this.#study, rows: new Map(this.#rows), missing: this.#countMissing() };
    for (const listener of this.#listeners) listener();
  }
}

const ended = ({ phase, commit, endedAt, trainedSeconds }: Cell) =>
  `${phase === 'recorded'} ${commit} ${endedAt} ${trainedSeconds}`;

const tableRows = new ExperimentReader<TableRow>(TABLE_PAGE, ended, async (study, ns) =>
  (await getClient().studies.tableRows({ study, ns: [...ns] })).map(row => [row.n, row]),
);

const gpuUses = new ExperimentReader<number | null>(GPU_USE_PAGE, ended, async (study, ns) =>
  (await getClient().studies.gpuUse({ study, ns: [...ns] })).map(({ n, percent }) => [n, percent]),
);

const constants = new ExperimentReader<ConstantTexts>(
  CONSTANTS_PAGE,
  ({ commit }) => String(commit),
  async (study, ns) => {
    const { names, rows } = await getClient().studies.constants({ study, ns: [...ns] });
    const places = new Map(names.map((name, place) => [name, place]));
    return rows.map(({ n, texts }) => [n, { names, get: name => texts[places.get(name) ?? -1] ?? null }]);
  },
);

export const useTableRows = (): ExperimentRows<TableRow> => useReader(tableRows, true);
export const useConstantRows = (): ExperimentRows<ConstantTexts> => useReader(constants, true);
export const useGpuUses = (isWanted: boolean): ExperimentRows<number | null> => useReader(gpuUses, isWanted);

function useReader<T>(reader: ExperimentReader<T>, isWanted: boolean): ExperimentRows<T> {
  const study = useStore(state => state.notebook?.study);
  const cells = useStore(state => state.notebook?.cells);
  const isOnline = useStore(state => state.connection.kind === 'online');
  const told = useSyncExternalStore(reader.subscribe, reader.read);
  useEffect(() => {
    if (isWanted && study && cells && isOnline) reader.want(study, cells);
  }, [reader, isWanted, study, cells, isOnline]);
  return isWanted && told.study === study ? told : NOTHING;
}
