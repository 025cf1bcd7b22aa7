import { PawlError } from '../../shared/errors.ts';
import type { LanePlace } from '../lanes/find-lanes.ts';
import { rest } from '../remote/rest.ts';
import type { Tell } from '../stages/tell.ts';
import type { AwayHost } from './start/find-places.ts';

/** Pause between two tries. */
const MIN_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 120_000;

type Ports = Pick<Tell, 'emit'> & {
  /** Rejects with a `PawlError` if the lanes of a host cannot be used. */
  readonly join: (host: string, places: readonly LanePlace[]) => Promise<void>;
};

/** Asks hosts that were out of reach when a sitting began, until their lanes have joined it or it ends. */
export class AwayHosts {
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  readonly #asking: readonly Promise<void>[];
  /** Hosts join one after the other. */
  #joined: Promise<void> = Promise.resolve();

  constructor(hosts: readonly AwayHost[], ports: Ports) {
    this.#ports = ports;
    for (const { host, fault } of hosts) ports.emit({ type: 'host_away', host, message: fault });
    this.#asking = hosts.map(host => this.#ask(host));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#asking);
  }

  async #ask(away: AwayHost): Promise<void> {
    const { signal } = this.#closed;
    for (let pause = MIN_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      await rest(pause, signal);
      if (signal.aborted) return;
      try {
        const places = await away.ask(signal);
        if (places === null || signal.aborted) continue;
        await this.#join(away.host, places);
      } catch (error) {
        this.#tellUnused(away.host, error);
      }
      return;
    }
  }

  async #join(host: string, places: readonly LanePlace[]): Promise<void> {
    const joined = this.#joined.then(async () => {
      if (this.#closed.signal.aborted) return;
      await this.#ports.join(host, places);
      this.#ports.emit({ type: 'host_joined', host, lanes: places.length });
    });
    this.#joined = joined.catch(() => {});
    await joined;
  }

  #tellUnused(host: string, error: unknown): void {
    if (this.#closed.signal.aborted) return;
    const why = error instanceof PawlError ? error.message : String((error as Error).message);
    const message = `${host} answers now, but this sitting cannot use its lanes. ${why}`;
    this.#ports.emit({ type: 'warning', code: 'host', message });
  }
}
