import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The slowest files, slowest first, of `test:real` and then of the unit tests; if a long one starts last, the other
 * processors idle until it ends.
 */
const SLOWEST: readonly string[] = [
  ...['hostile-trainers-output', 'kill-random', 'full-disk', 'attacks', 'hostile-trainers-files'],
  ...['environments', 'ssh-features', 'kill-events', 'slurm-refusals', 'slurm-features'],
  ...['control', 'slurm-endings', 'ssh-disk', 'kill-points', 'sample', 'probes', 'ssh'],
  ...['ssh-hosts', 'hostile-trainers-proposers', 'ssh-cuts', 'repeats', 'branch-and-worktree'],
  ...['slurm-left', 'hostile-trainers', 'odd-files', 'scoring', 'asked-model', 'slurm-silent'],
  ...['sandbox', 'model-sdk', 'slurm-study', 'ssh-screening', 'odd-checkouts'],
  ...['metric-check-runs', 'slurm', 'outputs', 'ssh-study', 'kill', 'python-installs'],
  ...['agents-contained', 'slurm-node', 'agents', 'serve', 'bundle-gpu', 'check-gpu'],
  ...['model-troubles', 'review', 'terminal', 'ideas', 'import', 'found', 'model-proposer'],
  ...['stack', 'doctor', 'import-trackers', 'debrief-study', 'harden', 'remove-study', 'notify'],
  ...['service-words', 'service-series', 'service-events', 'stop-rules', 'plain-edit', 'tuning'],
  ...['stack-odd', 'loop', 'export', 'constants', 'route', 'guards', 'service', 'review-mends'],
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
