import { basename } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { formatDelta, formatDuration, formatMetric } from '../../shared/numbers.ts';
import { type Experiment, lastTrial, type Study } from '../../shared/study.ts';
import { claimWords } from '../../shared/verdicts/claims.ts';
import { reasonWords } from '../../shared/verdicts/reason-words.ts';
import { readDiff } from '../git/diff.ts';
import { openRepository } from '../git/repository.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Block } from './document.ts';
import { hideIn, hider } from './for-others.ts';
import { writeMarkdown } from './write-markdown.ts';
import type { ReportPorts } from './write-report.ts';

/** Nobody reads a longer one in a chat. */
const MAX_DIFF_CHARACTERS = 60_000;

/** One experiment with its diff as Markdown, for a chat or an issue; without this machine's paths and keys. */
export async function writeExperiment(
  ledger: Ledger,
  study: Study,
  experiment: Experiment,
  ports: Pick<ReportPorts, 'paths' | 'environment'>,
): Promise<string> {
  const { n, proposal } = experiment;
  const hide = hider(study, ports.paths, ports.environment);
  const document = {
    title: `#${n} ${proposal?.hypothesis ?? 'No hypothesis yet'}`,
    blocks: [
      ...(proposal?.rationale ? [{ kind: 'paragraph' as const, text: proposal.rationale }] : []),
      factsOf(ledger, study, experiment),
      ...crashOf(ledger, study, n),
      ...(await diffOf(study, experiment, hide)),
    ],
  };
  return writeMarkdown(hideIn(document, hide));
}

function factsOf(ledger: Ledger, study: Study, experiment: Experiment): Block {
  const { n, verdict, record, metric, trainedSeconds, attemptCommit } = experiment;
  const { incumbentMetric, incumbentExperiment } = verdict?.evidence ?? {};
  const claim = assessStudy(ledger, study)?.keeps.find(keep => keep.n === n);
  const value = record?.mean ?? metric;
  const runs = record && record.runs > 1 ? ` (mean of ${record.runs} runs)` : '';
  const delta = value === null || incumbentMetric === undefined ? null : value - incumbentMetric;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Study', `${basename(study.repositoryPath) || study.importedFrom}: ${study.tag}`],
    [
      'Verdict',
      verdict &&
        `${verdict.word} (${reasonWords({ reason: verdict.reason, guard: verdict.evidence.guard })})`,
    ],
    [study.contract.metric.name, value === null ? null : `${formatMetric(value)}${runs}`],
    [
      'Difference',
      delta === null
        ? null
        : `${formatDelta(delta)} to #${incumbentExperiment} (${formatMetric(incumbentMetric)})`,
    ],
    ['Claim', claim ? claimWords(claim) : null],
    ['Trained', trainedSeconds === null ? null : formatDuration(trainedSeconds)],
    ['Commit', attemptCommit?.slice(0, 12) ?? null],
  ];
  return {
    kind: 'table',
    columns: [{ name: '' }, { name: '' }],
    rows: rows.flatMap(([name, text]) => (text === null ? [] : [[name, text]])),
  };
}

function crashOf(ledger: Ledger, study: Study, n: number): readonly Block[] {
  const crash = lastTrial(ledger.runs.list(study.id, n))?.crash;
  return crash ? [{ kind: 'code', title: `Crash: ${crash.message}`, text: crash.tail.join('\n') }] : [];
}

async function diffOf(
  study: Study,
  { n, parentCommit, attemptCommit }: Experiment,
  hide: (text: string) => string,
): Promise<readonly Block[]> {
  if (!parentCommit || !attemptCommit || parentCommit === attemptCommit || study.state === 'imported')
    return [];
  const read = await readDiffOf(study, parentCommit, attemptCommit);
  if (read === null) return [];
  // Hide before cutting: part of a path or key would not be recognised.
  const diff = hide(read);
  const isCut = diff.length > MAX_DIFF_CHARACTERS;
  return [
    {
      kind: 'code',
      title: isCut ? `The beginning of the diff of #${n}` : `Diff of #${n}`,
      text: diff.slice(0, MAX_DIFF_CHARACTERS),
    },
  ];
}

async function readDiffOf({ repositoryPath }: Study, from: string, to: string): Promise<string | null> {
  try {
    return await readDiff(await openRepository(repositoryPath), from, to);
  } catch (error) {
    // The repository or the commits may be gone; everything else can still be described.
    if (error instanceof PawlError) return null;
    throw error;
  }
}
