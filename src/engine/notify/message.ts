import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Goal } from '../../shared/contract/contract.ts';
import type { Debrief } from '../../shared/debrief/debrief.ts';
import {
  certaintyOf,
  describeCertainty,
  describeCounts,
  describeProgress,
  gainText,
} from '../../shared/debrief/describe-debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import type { Notice } from '../../shared/settings.ts';
import type { Study } from '../../shared/study.ts';
import { readDebrief } from '../debrief/read-debrief.ts';
import { readDiff } from '../git/diff.ts';
import { openRepository } from '../git/repository.ts';
import { stripControl } from '../metrics/line-splitter.ts';
import { type DataPaths, runLog } from '../paths.ts';
import { hideIn, hider } from '../report/for-others.ts';
import type { Ledger } from '../store/ledger.ts';
import type { MessageRow } from '../store/messages.ts';
import type { Channel } from './channel.ts';

/**
 * A message for the user away from this machine, whichever way it is sent. It contains no path on this machine and no
 * key.
 */
export type Message = {
  /** Stays the same if the message is sent again, so that a receiver can recognise a duplicate. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: Notice['kind'];
  readonly title: string;
  readonly body: string;
  readonly study: { readonly id: string; readonly tag: string; readonly project: string };
  readonly metric: { readonly name: string; readonly goal: Goal };
  /** The experiment it is about. */
  readonly n: number | null;
  /** At the end of a sitting. `whole` is the output of `pawl report --format json`; null if that is too large. */
  readonly debrief: { readonly sentences: readonly string[]; readonly whole: Debrief | null } | null;
  /** Only if the user wants it included. */
  readonly diff: string | null;
  readonly log: string | null;
  /** How many messages before this one were not sent. */
  readonly heldBack: number;
};

export type MessagePorts = {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => number;
};

const MAX_DEBRIEF_CHARACTERS = 256 * 1024;
const MAX_DIFF_CHARACTERS = 16 * 1024;
const LOG_BYTES = 4 * 1024;
const LOG_LINES = 20;
/** How many kept ideas and next steps are named. */
const MOST_NAMED = 3;

/** Everything is read just before sending, so that the message is up to date. */
export async function composeMessage(
  { id, at, event, notice }: Omit<MessageRow, 'tries'>,
  encloses: Channel['form']['encloses'],
  ports: MessagePorts,
): Promise<Message | null> {
  const { ledger, paths, environment } = ports;
  const study = ledger.studies.get(notice.study);
  if (!study) return null;
  const { kind, title, body, n } = notice;
  const { name, goal } = study.contract.metric;
  const message: Message = {
    ...{ id: `${study.id}-${id}`, at: new Date(at).toISOString(), kind, title, body, n },
    study: { id: study.id, tag: study.tag, project: basename(study.repositoryPath) },
    metric: { name, goal },
    debrief: event === 'study_stopped' ? await readSentences(study, ports) : null,
    diff: event === 'new_best' && encloses.diff && n !== null ? await diffOf(study, n, ledger) : null,
    log: event === 'verdict' && encloses.log && n !== null ? await endOfLog(study, n, ports) : null,
    heldBack: ledger.messages.heldBefore(id),
  };
  return hideIn(message, hider(study, paths, environment));
}

async function readSentences(study: Study, { ledger, now }: MessagePorts): Promise<Message['debrief']> {
  const debrief = await readDebrief(ledger, study, -1, now());
  const isLarge = JSON.stringify(debrief).length > MAX_DEBRIEF_CHARACTERS;
  return { sentences: sentencesOf(debrief), whole: isLarge ? null : debrief };
}

/** The debrief in a few lines. */
function sentencesOf(debrief: Debrief): readonly string[] {
  const { kept, next } = debrief;
  const best = kept.toSorted((one, other) => (other.gain ?? 0) - (one.gain ?? 0)).slice(0, MOST_NAMED);
  return [
    describeProgress(debrief),
    describeCounts(debrief),
    ...describeCertainty(debrief),
    ...best.map(idea => `#${idea.n} ${idea.hypothesis}: ${gainText(idea.gain)}, ${certaintyOf(idea)}`),
    ...next.slice(0, MOST_NAMED).map(({ title }) => `Next: ${title}.`),
  ];
}

async function diffOf(study: Study, n: number, ledger: Ledger): Promise<string | null> {
  const { parentCommit, attemptCommit } = ledger.experiments.get(study.id, n) ?? {};
  if (!parentCommit || !attemptCommit) return null;
  try {
    const diff = await readDiff(await openRepository(study.repositoryPath), parentCommit, attemptCommit);
    if (diff.length <= MAX_DIFF_CHARACTERS) return diff;
    return `${diff.slice(0, diff.lastIndexOf('\n', MAX_DIFF_CHARACTERS))}\n… (cut)`;
  } catch (error) {
    // The repository may be gone, but the message is still worth sending.
    if (error instanceof PawlError) return null;
    throw error;
  }
}

async function endOfLog(study: Study, n: number, { ledger, paths }: MessagePorts): Promise<string | null> {
  const last = ledger.runs.list(study.id, n).at(-1);
  if (!last) return null;
  const file = await open(runLog(paths, study.id, n, last.k)).catch(() => null);
  if (!file) return null;
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, LOG_BYTES));
    await file.read(buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer
      .toString('utf8')
      .trimEnd()
      .split(/\r\n|[\r\n]/);
    // Drop a cut line: it may contain part of a path or key, which would not be recognised.
    const whole = size > buffer.length ? lines.slice(1) : lines;
    return whole.length === 0 ? null : whole.slice(-LOG_LINES).map(stripControl).join('\n');
  } finally {
    await file.close();
  }
}
