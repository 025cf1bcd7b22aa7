import { exportCsv, exportTsv, resultRows } from '../../engine/export/export-study.ts';
import { clip, deltaText, durationText, metricText, tableText, verdictText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

export async function results(flags: StudyFlags & { readonly format: string }): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    if (flags.format === 'tsv') process.stdout.write(exportTsv(ledger, study));
    else if (flags.format === 'csv') process.stdout.write(exportCsv(ledger, study));
    else if (flags.format === 'json') print(JSON.stringify(resultRows(ledger, study), null, 2));
    else {
      const rows = resultRows(ledger, study).map(row => [
        `#${row.experiment}`,
        row.verdict ? verdictText(row.verdict) : '',
        metricText(row.metric),
        deltaText(row.delta),
        metricText(row.best),
        durationText(row.seconds),
        row.commit?.slice(0, 7) ?? '',
        clip(row.hypothesis, 100),
      ]);
      const heading = [
        '',
        'verdict',
        study.contract.metric.name,
        'delta',
        'best so far',
        'time',
        'commit',
        'hypothesis',
      ];
      const right = 'right' as const;
      print(tableText([heading, ...rows], [right, 'left', right, right, right, right, 'left', 'left']));
    }
  });
}
