import { PawlError } from '../../shared/errors.ts';
import { type CellStore, cellStore } from './cells.ts';
import { type Database, openDatabase, translateErrors } from './database.ts';
import { type ExperimentStore, experimentStore } from './experiments.ts';
import { type IdeaStore, ideaStore } from './ideas.ts';
import { type InstructionsStore, instructionsStore } from './instructions.ts';
import { type JobStore, jobStore } from './jobs.ts';
import { type LateNumberStore, lateNumberStore } from './late-numbers.ts';
import { type MarkStore, markStore } from './marks.ts';
import { type MemoryStore, memoryStore } from './memories.ts';
import { type MessageStore, messageStore } from './messages.ts';
import { type ModelAnswerStore, modelAnswerStore } from './model-answers.ts';
import { type ModelCallStore, modelCallStore } from './model-calls.ts';
import { type NoteStore, noteStore } from './notes.ts';
import { type ProjectStore, projectStore } from './projects.ts';
import { type ProposerCallStore, proposerCallStore } from './proposer-calls.ts';
import { type RefusalStore, refusalStore } from './refusals.ts';
import { type RequestStore, requestStore } from './requests.ts';
import { type ReviewStore, reviewStore } from './reviews.ts';
import { type RunStore, runStore } from './runs.ts';
import { type SettingStore, settingStore } from './settings.ts';
import { type StudyStore, studyStore } from './studies.ts';
import { type SummaryStore, summaryStore } from './summaries.ts';
import { type TableRowStore, tableRowStore } from './table-rows.ts';

/** The SQLite file in which everything is written before it happens. One store per group of tables. */
export type Ledger = {
  readonly studies: StudyStore;
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly refusals: RefusalStore;
  readonly reviews: ReviewStore;
  readonly notes: NoteStore;
  readonly lateNumbers: LateNumberStore;
  readonly ideas: IdeaStore;
  readonly requests: RequestStore;
  readonly jobs: JobStore;
  readonly cells: CellStore;
  readonly tableRows: TableRowStore;
  readonly marks: MarkStore;
  readonly instructions: InstructionsStore;
  readonly memories: MemoryStore;
  readonly messages: MessageStore;
  readonly projects: ProjectStore;
  readonly settings: SettingStore;
  readonly summaries: SummaryStore;
  readonly modelCalls: ModelCallStore;
  readonly modelAnswers: ModelAnswerStore;
  readonly proposerCalls: ProposerCallStore;
  /**
   * For all writes: one durable transaction. When it returns, the data is on disk; if `work` throws, nothing is
   * written.
   */
  write<T>(work: () => T): T;
  /** Runs `work` at the start of the next {@link write}: for writes that do not deserve their own transaction. */
  later(work: () => void): void;
  /** Whether another process wrote something since this was last asked. */
  wasWrittenElsewhere(): boolean;
  /** Returns as much disk space as it can; on a full disk that may be none. */
  shrink(): void;
  close(): void;
};

/**
 * Throws like {@link openDatabase}.
 * @param makeRoom called if a write meets a full disk; returns whether there is space now, so that the write is tried
 * again
 */
export function openLedger(path: string, makeRoom: () => boolean = () => false): Ledger {
  const database: Database = openDatabase(path);
  const later: (() => void)[] = [];
  const readVersion = () => database.pragma('data_version', { simple: true });
  let version = readVersion();
  return {
    studies: studyStore(database),
    experiments: experimentStore(database),
    runs: runStore(database),
    refusals: refusalStore(database),
    reviews: reviewStore(database),
    lateNumbers: lateNumberStore(database),
    ideas: ideaStore(database),
    notes: noteStore(database),
    requests: requestStore(database),
    jobs: jobStore(database),
    cells: cellStore(database),
    tableRows: tableRowStore(database),
    marks: markStore(database),
    instructions: instructionsStore(database),
    memories: memoryStore(database),
    messages: messageStore(database),
    projects: projectStore(database),
    settings: settingStore(database),
    summaries: summaryStore(database),
    modelCalls: modelCallStore(database),
    modelAnswers: modelAnswerStore(database),
    proposerCalls: proposerCallStore(database),
    write: work => {
      const write = () =>
        translateErrors(() => {
          const waiting = [...later];
          const result = database
            .transaction(() => {
              for (const earlier of waiting) earlier();
              return work();
            })
            .immediate();
          later.splice(0, waiting.length);
          return result;
        }, path);
      try {
        return write();
      } catch (error) {
        if (!(error instanceof PawlError) || error.code !== 'disk_full' || !makeRoom()) throw error;
        return write();
      }
    },
    later: work => {
      later.push(work);
    },
    wasWrittenElsewhere: () => {
      const before = version;
      version = readVersion();
      return version !== before;
    },
    shrink: () => {
      try {
        database.pragma('wal_checkpoint(TRUNCATE)');
      } catch (error) {
        if (!String((error as { code?: unknown }).code).startsWith('SQLITE_')) throw error;
      }
    },
    close: () => {
      database.close();
    },
  };
}
