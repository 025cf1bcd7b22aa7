import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, the longest first, of `test:real` and then of the unit tests; a long one that begins last is
 * waited for by an idle processor.
 */
const SLOWEST: readonly string[] = [
  ...['attacks', 'kill-random', 'hostile-trainers-output', 'kill-events', 'full-disk', 'sample'],
  ...['hostile-trainers-files', 'environments', 'hostile-trainers-proposers', 'kill-points', 'control'],
  ...['repeats', 'sandbox-found', 'sandbox', 'agents', 'sandbox-set-up', 'kill', 'odd-files'],
  ...['agents-contained', 'branch-and-worktree', 'serve', 'hostile-trainers', 'late-numbers'],
  ...['model-troubles', 'review', 'import', 'terminal', 'found', 'model-proposer', 'tuning', 'route'],
  ...['look-ahead', 'constants-night', 'export', 'ideas', 'guards'],
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
