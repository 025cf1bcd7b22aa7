import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The slowest files, slowest first, of `test:real` and then of the unit tests; if a long one starts last, the other
 * processors idle until it ends.
 */
const SLOWEST: readonly string[] = [
  ...['hostile-trainers-output', 'kill-random', 'full-disk', 'attacks', 'hostile-trainers-files'],
  ...['environments', 'kill-events', 'sample', 'kill-points', 'hostile-trainers-proposers', 'control'],
  ...['repeats', 'probes', 'slurm-endings', 'odd-files', 'sandbox', 'hostile-trainers', 'scoring'],
  ...['branch-and-worktree', 'sandbox-found', 'metric-check-runs', 'slurm', 'odd-checkouts', 'kill'],
  ...['asked-model', 'agents-contained', 'slurm-node', 'bundle-gpu', 'agents', 'outputs', 'serve'],
  ...['model-troubles', 'terminal', 'review', 'found', 'doctor', 'import', 'service-series'],
  ...['service-events', 'service-words', 'model-proposer', 'ideas', 'plain-edit', 'import-trackers'],
  ...['contract-faults', 'constants', 'notify', 'server-sockets', 'remove-study', 'tuning', 'route'],
];

/** {@link SLOWEST} first, then in Vitest's order. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = SLOWEST.indexOf(basename(moduleId, '.test.ts'));
      return place < 0 ? SLOWEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
