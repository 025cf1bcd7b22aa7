import { basename } from 'node:path';
import { type Contract, defaultLimitSeconds } from '../../shared/contract/contract.ts';
import {
  DEFAULT_AUDIT,
  DEFAULT_BUDGET,
  DEFAULT_LIMITS,
  DEFAULT_METRIC,
  DEFAULT_SANDBOX,
} from '../../shared/contract/contract-defaults.ts';
import { PawlError } from '../../shared/errors.ts';
import type { ImportQuestion, Skipped } from '../../shared/imports.ts';
import { firstOf } from '../../shared/listed.ts';
import type { Study } from '../../shared/study.ts';
import { describeBadTag, isValidTag, LONGEST_TAG } from '../../shared/study-name.ts';
import type { Ledger } from '../store/ledger.ts';
import { newStudyId } from '../store/studies.ts';
import type { ImportAnswers, ImportedTable } from './imported-table.ts';
import { interpretTable } from './interpret-table.ts';
import { readTable, readTableFile } from './read-table.ts';
import { readTracked } from './trackers/read-tracked.ts';
import { trackedTable } from './trackers/tracked-table.ts';

/** How many skipped rows a message lists. */
const LISTED = 3;

export type ImportOutcome =
  | {
      readonly kind: 'imported';
      readonly study: Study;
      readonly goalFrom: ImportedTable['goalFrom'];
      readonly isProven: boolean;
      readonly skipped: readonly Skipped[];
    }
  | { readonly kind: 'question'; readonly question: ImportQuestion };

export type ImportOptions = ImportAnswers & {
  /** Null takes it from the file's name. */
  readonly tag: string | null;
  /** The source that the study shows; by default the file's name. */
  readonly shownAs?: string;
  readonly now: number;
};

/** A file on this machine, or the text of a table. */
export type ImportSource = { readonly path: string } | { readonly name: string; readonly content: Buffer };

/**
 * Reads results into a new read-only study, or returns what has to be answered first. Rejects with `import_invalid`
 * or `usage`. Writes nothing if it rejects or asks.
 */
export async function importStudy(
  ledger: Ledger,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const name = basename('path' in source ? source.path : source.name);
  const tag = options.tag ?? tagOf(name);
  if (!isValidTag(tag)) throw new PawlError('usage', describeBadTag(tag));
  const tracked = 'path' in source ? await readTracked(source.path) : null;
  const raw = tracked
    ? trackedTable(tracked)
    : readTable('path' in source ? await readTableFile(source.path) : source.content, name, options.metric);
  const found = interpretTable(raw, options);
  if (found.kind === 'question') {
    const { question } = found;
    if (question.kind === 'goal' || question.names.length > 0) return found;
    throw new PawlError(
      'import_invalid',
      `${name}:${raw.headingLine}: no column holds the metric: no column has suitable numbers.`,
    );
  }
  if (found.kind === 'unknown_metric') {
    throw new PawlError(
      'usage',
      `${name} has no column "${options.metric}"; it has ${found.names.map(column => `"${column.trim()}"`).join(', ')}.`,
    );
  }
  const { table } = found;
  if (table.rows.length === 0 && table.skipped.length > 0) {
    throw new PawlError('import_invalid', `${name}${describeSkipped(table.skipped)} No row can be read.`);
  }
  const study = importedStudy(table, tag, options.shownAs ?? name, options.now);
  ledger.write(() => {
    ledger.studies.insert(study);
    for (const [n, row] of table.rows.entries()) {
      const { hypothesis, verdict, word, metric, memory, commit, fields } = row;
      const run = tracked?.runs[row.line - 1];
      ledger.experiments.insertImported({
        ...{ studyId: study.id, n, hypothesis, verdict, metric, memory, commit },
        ...{ startedAt: run?.startedAt ?? null, endedAt: run?.endedAt ?? null },
        reason: word ?? 'imported',
        at: options.now,
        imported: fields,
      });
      if (run) ledger.runs.insertImported(study.id, n, run, options.now);
    }
  });
  return {
    kind: 'imported',
    study,
    goalFrom: table.goalFrom,
    isProven: table.isProven,
    skipped: table.skipped,
  };
}

/** `:4: 3 fields where the heading has 5. And 2 more.` */
function describeSkipped(skipped: readonly Skipped[]): string {
  const { shown, left } = firstOf(skipped, LISTED);
  const reasons = shown.map(({ line, reason }) => `${line === null ? '' : `${line}: `}${reason}`);
  return `:${skipped[0]?.line == null ? ' ' : ''}${reasons.join(' ')}${left > 0 ? ` And ${left} more.` : ''}`;
}

/** The study's name for a file's name: what is not allowed in it becomes a hyphen, and what is too long is cut. */
function tagOf(name: string): string {
  const tag = name
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, LONGEST_TAG)
    .replace(/(\.lock|\.)$/, '');
  return tag || 'imported';
}

function importedStudy(table: ImportedTable, tag: string, name: string, now: number): Study {
  return {
    id: newStudyId(now),
    tag,
    repositoryPath: '',
    gitDir: '',
    contract: importedContract(table),
    baseCommit: '',
    proposer: { kind: 'search', seed: 0 },
    stop: {},
    state: 'imported',
    stopReason: null,
    stopDetail: null,
    createdAt: now,
    preserved: [],
    outputs: [],
    writtenFolders: null,
    worktreeName: '',
    lanes: [],
    otherLines: 'off',
    importedFrom: name,
    importColumns: table.columns,
    asksApproval: false,
    gpu: null,
    capUsd: null,
    title: null,
    archivedAt: null,
  };
}

/** Only the metric is known of a study that never ran here. The rest stays empty and is shown nowhere. */
function importedContract({ metricName, goal, hasMemory }: ImportedTable): Contract {
  return {
    source: 'form',
    editable: [],
    locked: null,
    instructions: null,
    train: '',
    setup: null,
    environment: [],
    metric: { ...DEFAULT_METRIC, name: metricName, goal, memory: hasMemory ? 'memory_mb' : null },
    checks: [],
    score: null,
    audit: DEFAULT_AUDIT,
    model: null,
    budget: { seconds: 0, limitSeconds: defaultLimitSeconds(0), ...DEFAULT_BUDGET },
    stop: {},
    limits: DEFAULT_LIMITS,
    sandbox: DEFAULT_SANDBOX,
  };
}
