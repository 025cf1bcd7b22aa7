import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, the longest first; a long one that begins last is waited for by an idle processor. */
const SLOWEST: readonly string[] = [
  'full-disk',
  'odd-files',
  'control',
  'hostile-trainers-files',
  'hostile-trainers-proposers',
  'import',
  'kill',
  'outputs',
  'odd-checkouts',
  'sandbox',
  'agents',
  'model-proposer',
];

/** {@link SLOWEST} first, then as Vitest would have it. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = SLOWEST.indexOf(basename(moduleId, '.test.ts'));
      return place < 0 ? SLOWEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
