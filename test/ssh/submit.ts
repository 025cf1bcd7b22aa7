import type { RemoteJob } from '../../src/engine/remote/remote-training.ts';
import { SshClient } from '../../src/engine/remote/ssh/ssh-client.ts';
import { SshTraining } from '../../src/engine/remote/ssh/ssh-training.ts';

/** A process that trains one run over ssh, to be killed: `JOB` is the run, `ROOT` the folder here, `OPTIONS` ssh's. */

const job = JSON.parse(process.env.JOB ?? '') as RemoteJob;
const client = await SshClient.open('lab', JSON.parse(process.env.OPTIONS ?? '[]'));
await new SshTraining({ client, root: process.env.ROOT ?? '' }).train(job, {
  onOutput: chunk => process.stdout.write(chunk),
  onState: () => {},
  signal: new AbortController().signal,
});
