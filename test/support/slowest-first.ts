import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, the longest first, of `test:real` and then of the unit tests; a long one that begins last is
 * waited for by an idle processor.
 */
const SLOWEST: readonly string[] = [
  'kill-random',
  'hostile-trainers-output',
  'attacks',
  'full-disk',
  'repeats',
  'hostile-trainers-files',
  'control',
  'kill-events',
  'kill-points',
  'sandbox',
  'environments',
  'agents',
  'hostile-trainers-proposers',
  'kill',
  'serve',
  'hostile-trainers',
  'odd-files',
  'branch-and-worktree',
  'late-numbers',
  'constants-night',
  'export',
  'model-proposer',
  'tuning',
  'route',
  'look-ahead',
  'import',
  'review',
  'terminal',
  'found',
  'ideas',
  'guards',
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
