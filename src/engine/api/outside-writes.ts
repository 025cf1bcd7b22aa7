import type { Ledger } from '../store/ledger.ts';
import type { Announcer } from './announcer.ts';

/** How often to look for changes. */
const POLL_MS = 500;

/**
 * Announces to windows what other processes wrote into the ledger: a note (`pawl note`), an idea (`pawl propose`),
 * what earlier studies learnt (`pawl memory`), an imported study (`pawl import`). Other processes' requests to the
 * engine are not covered: the engine answers those. Nothing else is written without the engine's lock.
 */
export class OutsideWrites {
  readonly #ledger: Ledger;
  readonly #announcer: Announcer;
  /** The version of each study's queue that was last announced. */
  readonly #known: Map<string, number>;
  #lastNote: number;
  /** The newest mark that another process may have left. */
  #lastMark: number;
  readonly #timer: NodeJS.Timeout;

  constructor(ledger: Ledger, announcer: Announcer) {
    this.#ledger = ledger;
    this.#announcer = announcer;
    this.#known = new Map(ledger.studies.list().map(({ id }) => [id, ledger.ideas.count(id).version]));
    this.#lastNote = ledger.notes.newest();
    this.#lastMark = ledger.marks.newest();
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
        const { version } = this.#ledger.ideas.count(id);
        if (this.#known.get(id) !== version) this.#announcer.announceStudy(id);
        this.#known.set(id, version);
      }
      // The engine also announces its own marks; announcing one twice does no harm.
      for (const { study, ...mark } of this.#ledger.marks.newerOfKind('memory', this.#lastMark)) {
        this.#lastMark = mark.id;
        this.#announcer.announceMark(study, mark);
      }
      for (const { id, studyId, n } of this.#ledger.notes.after(this.#lastNote)) {
        this.#lastNote = id;
        this.#announcer.announceCell(studyId, n);
      }
    } catch {
      // A faulty disk will show at the next write.
    }
  }
}
