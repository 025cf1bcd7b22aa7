import { createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportCsv, exportJson, exportTsv } from '../../engine/export/export-study.ts';
import { importStudy } from '../../engine/import/import-study.ts';
import { betterSide, type Goal } from '../../shared/contract/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { ImportQuestion } from '../../shared/imports.ts';
import { firstOf } from '../../shared/listed.ts';
import { counted, formatNumber } from '../../shared/numbers.ts';
import { clip, metricText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withLedger, withStudy } from '../with-study.ts';

/** How many skipped rows the terminal lists; the rest is a count. */
const LISTED = 20;

const TOLD: Readonly<Record<'file' | 'name' | 'keeps', string>> = {
  file: 'as the file says',
  name: 'as its name says',
  keeps: 'as the kept rows show',
};

export async function importCommand(
  file: string,
  flags: {
    readonly tag?: string;
    readonly goal?: Goal;
    readonly metric?: string;
  },
): Promise<void> {
  await withLedger(async ledger => {
    const outcome = await importStudy(
      ledger,
      { path: file },
      { tag: flags.tag ?? null, goal: flags.goal ?? null, metric: flags.metric ?? null, now: Date.now() },
    );
    if (outcome.kind === 'question') throw new PawlError('usage', askFor(outcome.question, file));
    const { study, goalFrom, isProven, skipped } = outcome;
    const { metric } = study.contract;
    const tally = ledger.experiments.tally(study.id, metric.goal);
    const { finished, keep, discard, crash } = tally;
    const others = finished - keep - discard - crash;
    const rate = tally.keepRate === null ? '–' : `${(tally.keepRate * 100).toFixed(1)} %`;
    if (finished === 0) print(`Imported ${study.tag}: a header without rows, so an empty study.`);
    else {
      print(
        `Imported ${counted(finished, 'experiment')} as ${study.tag}: ${formatNumber(keep)} keep, ${formatNumber(discard)} discard, ` +
          `${formatNumber(crash)} crash, ${others === 0 ? '' : `${formatNumber(others)} other, `}keep rate ${rate}.`,
      );
    }
    if (isProven)
      print(`Of several numbers ${clip(metric.name, 64)} is the one that agrees with the kept rows.`);
    // Upstream's own metric needs no explanation.
    if (goalFrom !== 'given' && metric.name !== 'val_bpb') {
      const better = betterSide(metric.goal);
      print(`${clip(metric.name, 64)}: ${better} is better, ${TOLD[goalFrom]}.`);
    }
    if (tally.best !== null) {
      print(
        `${clip(metric.name, 64)}: baseline ${metricText(tally.baseline)}, best ${metricText(tally.best)} in #${tally.bestExperiment}`,
      );
    } else if (finished > 0) print('Nothing was kept, so there is no best.');
    if (skipped.length > 0)
      print(skipped.length === 1 ? 'Skipped 1 row:' : `Skipped ${skipped.length} rows:`);
    const { shown, left } = firstOf(skipped, LISTED);
    for (const { line, reason } of shown) {
      print(`  ${line === null ? '' : `line ${line}: `}${clip(reason, 160)}`);
    }
    if (left > 0) print(`  and ${left} more.`);
  });
}

function askFor(question: ImportQuestion, file: string): string {
  const name = basename(file);
  if (question.kind === 'goal') {
    return (
      `${name}: is a lower or a higher ${question.metricName} better? ${question.why[0]?.toUpperCase()}${question.why.slice(1)}. ` +
      'Use --goal minimize or --goal maximize.'
    );
  }
  if (question.names.length === 0) return `${name}: no column holds the metric. Name one with --metric.`;
  const names = question.names.slice(0, 20).map(column => `"${column}"`);
  return `${name}: which of these is the metric: ${names.join(', ')}? Name it with --metric.`;
}

export async function exportCommand(
  flags: StudyFlags & { readonly format: string; readonly output?: string },
): Promise<void> {
  await withStudy(flags, async (ledger, study) => {
    const pieces =
      flags.format === 'json'
        ? exportJson(ledger, study)
        : [flags.format === 'csv' ? exportCsv(ledger, study) : exportTsv(ledger, study)];
    if (flags.output === undefined) await pipeline(Readable.from(pieces), process.stdout, { end: false });
    else {
      const { output } = flags;
      await pipeline(Readable.from(pieces), createWriteStream(output)).catch(cause => {
        throw new PawlError('usage', `${output} cannot be written: ${cause.message}`, { cause });
      });
    }
  });
}
