import { PawlError } from '../../shared/errors.ts';
import { clip } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

export async function search(words: readonly string[], flags: StudyFlags): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    const hits = ledger.notes.search(study.id, words.join(' '), 50);
    for (const hit of hits) print(`#${hit.n}  ${clip(hit.hypothesis, 160)}`);
    if (hits.length === 0) print('Nothing found.');
  });
}

export async function note(n: number, words: readonly string[], flags: StudyFlags): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    if (!ledger.experiments.get(study.id, n)) {
      throw new PawlError('experiment_not_found', `There is no experiment ${n} in ${study.tag}.`);
    }
    ledger.write(() => ledger.notes.add(study.id, n, words.join(' '), Date.now()));
  });
}
