import type { Ledger } from '../ledger/ledger.ts';
import type { Announcer } from './announcer.ts';

/** How often is looked. */
const POLL_MS = 500;

/**
 * Tells windows what another process wrote into the ledger: a note (`pawl note`), an imported study (`pawl import`). What it asks
 * of the engine the engine answers itself; nothing else is written without the engine's lock.
 */
export class OutsideWrites {
  readonly #ledger: Ledger;
  readonly #announcer: Announcer;
  readonly #known: Set<string>;
  #lastNote: number;
  readonly #timer: NodeJS.Timeout;

  constructor(ledger: Ledger, announcer: Announcer) {
    this.#ledger = ledger;
    this.#announcer = announcer;
    this.#known = new Set(ledger.studies.list().map(({ id }) => id));
    this.#lastNote = ledger.notes.newest();
    ledger.wasWrittenElsewhere();
    this.#timer = setInterval(() => this.#look(), POLL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      if (!this.#ledger.wasWrittenElsewhere()) return;
      for (const { id } of this.#ledger.studies.list()) {
        if (!this.#known.has(id)) this.#announcer.announceStudy(id);
        this.#known.add(id);
      }
      for (const { id, studyId, n } of this.#ledger.notes.after(this.#lastNote)) {
        this.#lastNote = id;
        this.#announcer.announceCell(studyId, n);
      }
    } catch {
      // What is wrong with the disk shows where something is written next.
    }
  }
}
