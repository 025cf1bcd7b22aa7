import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import { SlurmTraining } from '../../src/engine/remote/slurm/slurm-training.ts';

/** A process that trains one run on Slurm, to be killed: `JOB` is the run, `ROOT` the shared folder. */

const job = JSON.parse(process.env.JOB ?? '') as RemoteJob;
const root = process.env.ROOT ?? '';
const training = new SlurmTraining({
  cluster: { engine: 'slurm', lanes: 1, sbatch: [], folder: root, modules: [], prelude: null },
  ...{ root, environment: process.env, queueIntervalMs: 500 },
});
await training.train(job, {
  onOutput: chunk => process.stdout.write(chunk),
  onState: () => {},
  signal: new AbortController().signal,
});
