import type { Debrief, ReportFormat } from '../../shared/debrief/debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { armsOfStudies } from '../debrief/arms-of-studies.ts';
import { readDebrief } from '../debrief/read-debrief.ts';
import { readDiff } from '../git/diff.ts';
import { openRepository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import type { Ledger } from '../store/ledger.ts';
import { bestSoFarSvg } from './best-so-far.ts';
import { describeDebrief, type ReportParts } from './describe.ts';
import { hideIn, hider } from './for-others.ts';
import { writeHtml } from './write-html.ts';
import { writeMarkdown } from './write-markdown.ts';

export type ReportPorts = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
};

/** Once the report would be larger than this, further diffs are left out. */
const MAX_DIFF_CHARACTERS = 300_000;

/** The debrief as the text of a file for others. Rejects like {@link readDebrief}. */
export async function writeReport(
  ledger: Ledger,
  study: Study,
  {
    sitting,
    format,
    hasDiffs,
  }: { readonly sitting: number | null; readonly format: ReportFormat; readonly hasDiffs: boolean },
  { now, paths, environment }: ReportPorts,
): Promise<string> {
  const hide = hider(study, paths, environment);
  const debrief = hideIn(await readDebrief(ledger, study, sitting, now), hide);
  if (format === 'json') return `${JSON.stringify(debrief, null, 2)}\n`;
  const parts: ReportParts = {
    chart: bestSoFarSvg(ledger, study, debrief.claims, hide),
    allArms: await armsOfStudies(ledger, study),
    diffs: hasDiffs ? await readDiffs(ledger, study, debrief) : new Map(),
  };
  const document = describeDebrief(debrief, hideIn(parts, hide));
  return format === 'md' ? writeMarkdown(document) : writeHtml(document);
}

async function readDiffs(
  ledger: Ledger,
  study: Study,
  { kept }: Debrief,
): Promise<ReadonlyMap<number, string>> {
  const diffs = new Map<number, string>();
  try {
    const repository = await openRepository(study.repositoryPath);
    let room = MAX_DIFF_CHARACTERS;
    for (const { n } of kept) {
      const { parentCommit, attemptCommit } = ledger.experiments.get(study.id, n) ?? {};
      if (!parentCommit || !attemptCommit) continue;
      const diff = await readDiff(repository, parentCommit, attemptCommit);
      room -= diff.length;
      if (room > 0) diffs.set(n, diff);
    }
  } catch (error) {
    // The study can be read without its repository.
    if (!(error instanceof PawlError)) throw error;
  }
  return diffs;
}
