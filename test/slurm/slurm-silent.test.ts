import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { NO_SILENT_FOLDER, silentFolder } from '../support/silent-folder.ts';
import { checkNight, pausingAt, prepareNight, rowsOf, TAG, untilPaused } from '../support/study.ts';
import { findSlurmFault, type PrivateSlurm, startSlurm } from './private-slurm.ts';

const fault = findSlurmFault() ?? NO_SILENT_FOLDER;
let slurm: PrivateSlurm;

// `fault` says what is missing; .ci/run installs it.
describe.skipIf(fault !== null)('a shared folder that stops to answer', () => {
  beforeAll(async () => {
    slurm = await startSlurm();
  });
  afterAll(() => slurm?.stop());

  /** A study whose attempts train until `go` is there. */
  async function prepare() {
    const go = join(await temporaryFolder(), 'go');
    const shared = await silentFolder(slurm.folder);
    const night = await prepareNight({
      files: { 'score.sh': `sed 's/.*/{"val_bpb": &}/' "$PAWL_ARTIFACTS/number" >&3\n` },
      trainer: `${FAST_TRAINER}echo $LR > number; [ $LR = 2 ] || until [ -e ${go} ]; do sleep 0.05; done\n`,
      contract: `${contractFile({ limitSeconds: 600 })}
[score]
command = "sh score.sh"
artifacts = ["number"]
[cluster]
engine = "slurm"
folder = ${JSON.stringify(shared.path)}
`,
    });
    const options = { home: night.home, env: slurm.environment };
    const begin = (env = {}) => {
      const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'slurm:1'];
      return new RunningPawl(args, { ...options, env: { ...options.env, ...env } });
    };
    const resume = async () => {
      shared.thaw();
      await writeFile(go, '');
      expect(await sitting(['resume', night.repository], options)).toMatchObject({ code: 0, stderr: '' });
      expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'recorded']);
      expect(await readdir(join(slurm.folder, 'jobs'))).toEqual([]);
      await checkNight(night);
    };
    return { go, shared, options, begin, resume };
  }

  test('Stop now ends a study that trains, and the program', async () => {
    const { shared, options, begin, resume } = await prepare();
    const running = begin();
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    shared.freeze();
    await pawl(['stop', '--now'], options);
    expect(await running.ended).toMatchObject({ code: 130, signal: null });
    expect(eventsOf(running.events, 'study_stopped')).toHaveLength(1);
    await resume();
  });

  test('Stop now ends a study that collects what a training has left', async () => {
    const { go, shared, options, begin, resume } = await prepare();
    const running = begin(pausingAt({ event: { type: 'phase', n: 1, phase: 'measuring' } }));
    await writeFile(go, '');
    await untilPaused(running);
    expect(existsSync(join(slurm.folder, 'jobs'))).toBe(true);
    shared.freeze();
    running.child.kill('SIGCONT');
    await pawl(['stop', '--now'], options);
    expect(await running.ended).toMatchObject({ code: 130, signal: null });
    await resume();
  });
});
