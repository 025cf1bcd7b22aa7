import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dataPaths } from '../../engine/paths.ts';
import { writeReport } from '../../engine/report/write-report.ts';
import type { Ledger } from '../../engine/store/ledger.ts';
import type { ReportFormat } from '../../shared/debrief/debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

export type ReportFlags = StudyFlags & {
  readonly format: ReportFormat;
  readonly sitting?: string;
  readonly diffs?: boolean;
  readonly output?: string;
  /** Whether the study's model writes a summary first. */
  readonly summarise?: boolean;
};

export async function report(flags: ReportFlags): Promise<void> {
  const sitting = readSitting(flags.sitting);
  await withStudy(flags, async (ledger, study) => {
    const { format, diffs = false, output } = flags;
    if (flags.summarise) await summarise(ledger, study, sitting);
    const text = await writeReport(
      ledger,
      study,
      { sitting, format, hasDiffs: diffs },
      {
        ...{ now: Date.now(), paths: dataPaths(process.env), environment: process.env },
      },
    );
    if (output === undefined) {
      process.stdout.write(text);
      return;
    }
    const path = resolve(output);
    await writeFile(path, text).catch(error => {
      throw new PawlError('usage', `The report cannot be written to ${path}: ${error.message}`);
    });
    print(`Written to ${path}.`);
  });
}

async function summarise(ledger: Ledger, study: Study, sitting: number | null): Promise<void> {
  // Loaded only when needed, because it loads the library that calls models.
  const { writeSummary } = await import('../../engine/summary/write-summary.ts');
  const paths = dataPaths(process.env);
  const ports = { ledger, paths, home: paths.home, environment: process.env, now: Date.now };
  await writeSummary(study, sitting, ports, new AbortController().signal);
}

function readSitting(sitting: string | undefined): number | null {
  if (sitting === undefined) return null;
  if (sitting === 'last') return -1;
  const place = Number(sitting);
  if (!Number.isInteger(place) || place < 1) {
    throw new PawlError('usage', '--sitting takes "last" or a number from 1 on.');
  }
  return place - 1;
}
