import { enterNumber } from '../../engine/stages/measure/await-number.ts';
import { metricText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

/** Enters the number that an experiment waits for; the engine reads it from the ledger, now or when it continues. */
export async function measured(
  n: number,
  value: number,
  flags: StudyFlags & { readonly source: string },
): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    enterNumber(ledger, study, n, { value, source: flags.source }, Date.now());
    print(`Experiment ${n} has ${study.contract.metric.name} ${metricText(value)}.`);
  });
}
