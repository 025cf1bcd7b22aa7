import { toScalar } from '../../../shared/scalar.ts';
import type { SeriesPoint } from '../../metrics/output-reader.ts';

/** Points are stored in chunks: after this many points, or after this much time. */
const CHUNK_POINTS = 512;
const CHUNK_MS = 2_000;
/** Hosts get at most ten progress events a second. */
const PROGRESS_MS = 100;

/** Collects points and passes them on in chunks, so that a long run is stored while it runs, even if it prints little. */
export class SeriesWriter {
  readonly #write: (points: readonly SeriesPoint[]) => void;
  #points: SeriesPoint[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (points: readonly SeriesPoint[]) => void) {
    this.#write = write;
  }

  add(point: SeriesPoint): void {
    this.#points.push(point);
    if (this.#points.length >= CHUNK_POINTS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), CHUNK_MS);
  }

  flush(): void {
    const points = this.take();
    if (points.length > 0) this.#write(points);
  }

  /** Returns the points that are not stored yet, so that they can be stored together with something else. */
  take(): readonly SeriesPoint[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const points = this.#points;
    this.#points = [];
    return points;
  }
}

/** Merges the newest values and passes them on at a bounded rate; the last ones always arrive. */
export class ProgressEmitter {
  readonly #emit: (values: Record<string, ReturnType<typeof toScalar>>) => void;
  #values = new Map<string, ReturnType<typeof toScalar>>();
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(emit: (values: Record<string, ReturnType<typeof toScalar>>) => void) {
    this.#emit = emit;
  }

  add(point: SeriesPoint): void {
    for (const [key, value] of point.values) this.#values.set(key, toScalar(value));
    const wait = this.#last + PROGRESS_MS - performance.now();
    if (wait <= 0) this.flush();
    // The next point may come much later.
    else this.#timer ??= setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#values.size === 0) return;
    this.#last = performance.now();
    this.#emit(Object.fromEntries(this.#values));
    this.#values.clear();
  }
}
