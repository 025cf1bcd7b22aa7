import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dataPaths } from '../../engine/paths.ts';
import { writeReport } from '../../engine/report/write-report.ts';
import type { ReportFormat } from '../../shared/debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

export type ReportFlags = StudyFlags & {
  readonly format: ReportFormat;
  readonly sitting?: string;
  readonly diffs?: boolean;
  readonly output?: string;
};

export async function report(flags: ReportFlags): Promise<void> {
  const sitting = readSitting(flags.sitting);
  await withStudy(flags, async (ledger, study) => {
    const { format, diffs = false, output } = flags;
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

function readSitting(sitting: string | undefined): number | null {
  if (sitting === undefined) return null;
  if (sitting === 'last') return -1;
  const place = Number(sitting);
  if (!Number.isInteger(place) || place < 1) {
    throw new PawlError('usage', '--sitting takes "last" or a number from 1 on.');
  }
  return place - 1;
}
