import { createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportCsv, exportJson, exportTsv } from '../../engine/export/export-study.ts';
import { importStudy } from '../../engine/export/import-study.ts';
import { openLedger } from '../../engine/ledger/ledger.ts';
import { dataPaths } from '../../engine/paths.ts';
import { isValidTag } from '../../engine/repo/refs.ts';
import { PawlError } from '../../shared/errors.ts';
import { findStudy } from '../find-study.ts';
import { metricText } from '../format.ts';

export async function importCommand(
  file: string,
  flags: { readonly tag?: string; readonly goal?: 'minimize' | 'maximize' },
): Promise<void> {
  const tag =
    flags.tag ??
    (basename(file)
      .replace(/\.[^.]*$/, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-') ||
      'imported');
  if (!isValidTag(tag)) throw new PawlError('usage', `"${tag}" is no valid tag; give one with --tag.`);
  const ledger = openLedger(dataPaths(process.env).ledger);
  try {
    const study = await importStudy(ledger, file, { tag, goal: flags.goal ?? null, now: Date.now() });
    const { metric } = study.contract;
    const tally = ledger.experiments.tally(study.id, metric.goal);
    const rate = tally.keepRate === null ? '–' : `${(tally.keepRate * 100).toFixed(1)} %`;
    process.stdout.write(
      `Imported ${tally.finished} experiments as ${tag}: ${tally.keep} keep, ${tally.discard} discard, ` +
        `${tally.crash} crash, keep rate ${rate}.\n` +
        `${metric.name}: baseline ${metricText(tally.baseline)}, best ${metricText(tally.best)}` +
        `${tally.bestExperiment === null ? '' : ` in #${tally.bestExperiment}`}\n`,
    );
  } finally {
    ledger.close();
  }
}

export async function exportCommand(flags: {
  readonly repository: string;
  readonly tag?: string;
  readonly format: string;
  readonly output?: string;
}): Promise<void> {
  const ledger = openLedger(dataPaths(process.env).ledger);
  try {
    const study = await findStudy(ledger, flags.repository, flags.tag);
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
  } finally {
    ledger.close();
  }
}
