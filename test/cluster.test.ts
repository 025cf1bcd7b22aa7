import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { describeJob, jobName } from '../src/engine/remote/describe-job.ts';
import { clusterFolder, findCluster } from '../src/engine/remote/find-cluster.ts';
import { jobOfContract } from '../src/engine/remote/job-of-contract.ts';
import { readOutcome } from '../src/engine/remote/outcome.ts';
import { batchScript, limitMinutes, sbatchOptions } from '../src/engine/remote/slurm/batch-script.ts';
import { classifyEnd } from '../src/engine/remote/slurm/classify.ts';
import { parseQueue, SlurmQueue } from '../src/engine/remote/slurm/queue.ts';
import { isPassing } from '../src/engine/remote/slurm/refusal.ts';
import { contractFromFile, contractToFile } from '../src/shared/contract/contract-file.ts';
import { contractFileSchema } from '../src/shared/contract/contract-schema.ts';
import { VALID } from './support/contracts.ts';
import { temporaryFolder } from './support/scaffold.ts';

/** What of a cluster can be told without one; with a real Slurm: `test/slurm`. */

const SECTION = '[cluster]\nengine = "slurm"\nfolder = "~/pawl"\n';
const WHOLE = `${SECTION}lanes = 8
sbatch = ["--partition=a100", "--gres=gpu:1"]
modules = ["cuda/12.4"]
prelude = "source ~/venv/bin/activate"
`;

test('a cluster is read with its defaults, and written back as it was', () => {
  const read = (section: string) => parsePawlToml(`${VALID}${section}`, 'pawl.toml');
  expect(read('').cluster).toBeUndefined();
  expect(read(SECTION).cluster).toEqual({
    ...{ engine: 'slurm', folder: '~/pawl', lanes: 1, sbatch: [], modules: [], prelude: null },
  });
  const whole = read(WHOLE);
  expect(whole.cluster).toEqual({
    ...{ engine: 'slurm', folder: '~/pawl', lanes: 8, sbatch: ['--partition=a100', '--gres=gpu:1'] },
    ...{ modules: ['cuda/12.4'], prelude: 'source ~/venv/bin/activate' },
  });
  for (const contract of [read(SECTION), whole])
    expect(contractFromFile(contractFileSchema.parse(contractToFile(contract))).cluster).toEqual(
      contract.cluster,
    );
});

test.each([
  ['a misspelt key', `${SECTION}lane = 2\n`, /^pawl\.toml:9: cluster\.lane: unknown key; .*"lanes"/],
  ['another engine', SECTION.replace('slurm', 'pbs'), /^pawl\.toml:7: cluster\.engine: must be "slurm"/],
  ['no folder', '[cluster]\nengine = "slurm"\n', /^pawl\.toml:6: cluster\.folder: is required/],
  ['a folder that is relative', SECTION.replace('~/pawl', 'pawl'), /cluster\.folder: must be an absolute/],
  ['a folder with a name of Slurm’s', SECTION.replace('pawl', '%u'), /cluster\.folder: .*without "%"/],
  ['no lanes', `${SECTION}lanes = 0\n`, /^pawl\.toml:9: cluster\.lanes: /],
  ['a word that is no option', `${SECTION}sbatch = ["a100"]\n`, /cluster\.sbatch\.0: must be an option/],
  ['an option of Pawl’s', `${SECTION}sbatch = ["--export=ALL"]\n`, /cluster\.sbatch\.0: .*Pawl sets itself/],
  ['a short option of Pawl’s', `${SECTION}sbatch = ["-t5"]\n`, /cluster\.sbatch\.0: .*Pawl sets itself/],
  ['a module with a command', `${SECTION}modules = ["a; rm x"]\n`, /cluster\.modules\.0: must be the name/],
])('a cluster with %s is refused', (_, section, message) => {
  expect(() => parsePawlToml(`${VALID}${section}`, 'pawl.toml')).toThrow(message);
});

test('the cluster of the settings is for repositories that name none', async () => {
  const home = await temporaryFolder();
  const own = parsePawlToml(`${VALID}${WHOLE}`, 'pawl.toml');
  const none = parsePawlToml(VALID, 'pawl.toml');
  expect(await findCluster(none, home)).toBeNull();
  await writeFile(join(home, 'settings.toml'), SECTION.replace('~/pawl', '/shared/pawl'));
  expect(await findCluster(none, home)).toMatchObject({ folder: '/shared/pawl', lanes: 1 });
  expect(await findCluster(own, home)).toMatchObject({ folder: '~/pawl', lanes: 8 });
  expect(own.cluster && clusterFolder(own.cluster, { HOME: '/home/me' })).toBe('/home/me/pawl');
  await writeFile(join(home, 'settings.toml'), '[cluster]\nengine = "slurm"\n');
  await expect(findCluster(none, home)).rejects.toMatchObject({ code: 'settings_invalid' });
});

test('a job’s script, options and name follow from the run', () => {
  const cluster = parsePawlToml(`${VALID}${WHOLE}`, 'pawl.toml').cluster;
  if (!cluster) throw new Error('no cluster');
  const name = jobName('01ABC/12.1');
  expect(name).toBe('pawl-01ABC-12.1');
  expect(() => jobName('a b/1.0')).toThrow();
  const folder = { name, marker: '01ABC/12.1', path: "/shared/it's/jobs/x" };
  const script = batchScript(cluster, folder);
  expect(script).toMatch(
    /^#!\/bin\/bash\n.*^trap '' USR1\nunset LC_ALL LD_LIBRARY_PATH .*^exec bash -lc '/ms,
  );
  const inner = script.slice(script.indexOf("exec bash -lc '") + 'exec bash -lc '.length);
  expect(execFileSync('sh', ['-c', `printf %s ${inner}`], { encoding: 'utf8' })).toBe(
    `module load 'cuda/12.4' || exit 1
source ~/venv/bin/activate
exec python3 '/shared/it'\\''s/jobs/x/pawl_run.py' '/shared/it'\\''s/jobs/x'`,
  );
  const options = sbatchOptions(cluster, folder, 7);
  expect(options.slice(0, 2)).toEqual(['--partition=a100', '--gres=gpu:1']);
  expect(options).toEqual(
    expect.arrayContaining(['--export=ALL', '--no-requeue', '--time=7', `--job-name=${name}`]),
  );
  const phases = { setUp: null, train: { command: 'x', seconds: 600 }, metric: null, checks: [] };
  // The budget, ten seconds to end, a minute's warning, three minutes of margin.
  expect(limitMinutes(phases)).toBe(Math.ceil(850 / 60));
});

test('a job says what its contract says, and nothing of this machine', () => {
  const contract = parsePawlToml(
    `${VALID}command = "./report"\n[budget]\nlimit_seconds = 60\n[sandbox]\nreads = ["~/data"]\n`,
    'pawl.toml',
  );
  const job = jobOfContract(contract, {
    ...{
      marker: 's/1.0',
      commit: 'a'.repeat(40),
      observed: [],
      locked: ['a.txt'],
      logPath: '/log',
      maxArtifactBytes: 5,
      compiled: { kind: 'Linux x86_64', paths: [] },
    },
    repository: { path: '/repo', gitDir: '/repo/.git' },
    environment: {
      PATH: '/usr/bin',
      HOME: '/home/me',
      CUDA_VISIBLE_DEVICES: '3',
      XDG_RUNTIME_DIR: '/x',
      A: 'b',
    },
    ...{ containment: 'required', seals: { folders: ['lib'], files: ['a.txt'] }, dataFolders: ['/hf'] },
    gpus: ['GPU-1', 'GPU-2'],
  });
  expect(describeJob(job, '/shared/x.git')).toMatchObject({
    ...{ marker: 's/1.0', repository: '/shared/x.git', setup: null, containment: 'required', network: false },
    train: { command: 'sh train.sh', seconds: 60 },
    metric: { command: './report', seconds: 600 },
    environment: { PATH: '/usr/bin', A: 'b', CUDA_VISIBLE_DEVICES: 'GPU-1,GPU-2' },
    contained_environment: { HF_HUB_OFFLINE: '1' },
    ...{ reads: ['~/data', '/hf'], sealed: ['lib', 'a.txt'], locked: ['a.txt'], artifacts: [] },
  });
  const { environment } = describeJob(job, '/shared/x.git') as { environment: object };
  expect(Object.keys(environment).sort()).toEqual(['A', 'CUDA_VISIBLE_DEVICES', 'PATH']);
});

test('jobs of the queue are read by their fields, whatever the name of another is', () => {
  expect(
    parseQueue('7|PENDING|Priority||pawl-x-1.0\n8|RUNNING|None|n[1-2]|a|b\n9_[1-3]|PENDING|x||y\nrubbish\n'),
  ).toEqual([
    { id: '7', state: 'PENDING', reason: 'Priority', nodes: '', name: 'pawl-x-1.0' },
    { id: '8', state: 'RUNNING', reason: null, nodes: 'n[1-2]', name: 'a|b' },
  ]);
});

test('however many wait for a job, Slurm is asked once for all of them', async () => {
  let asked = 0;
  const queue = new SlurmQueue(async () => {
    asked += 1;
    return { kind: 'answer', text: `${asked}|RUNNING|None|n1|x\n` };
  }, 60_000);
  const { signal } = new AbortController();
  const listings = await Promise.all([1, 2, 3, 4].map(() => queue.next(signal)));
  expect(listings.map(listing => listing.kind === 'jobs' && listing.jobs[0]?.id)).toEqual([
    '1',
    '1',
    '1',
    '1',
  ]);
  // The next is not asked before its time.
  const stopped = new AbortController();
  const next = queue.next(stopped.signal);
  stopped.abort(new Error('enough'));
  await expect(next).rejects.toThrow();
  expect(asked).toBe(1);
});

test.each([
  ['PREEMPTED', 'preempted'],
  ['NODE_FAIL', 'node_failed'],
  ['BOOT_FAIL', 'node_failed'],
  ['OUT_OF_MEMORY', 'out_of_memory'],
  ['TIMEOUT', 'time_limit'],
  ['CANCELLED by 1000', 'cancelled'],
  ['REQUEUE_HOLD', 'requeued'],
  ['COMPLETED', 'lost'],
  [null, 'lost'],
])('a job without an outcome that is %s for Slurm is %s', (state, kind) => {
  expect(classifyEnd(state, 'python3: not found').kind).toBe(kind);
});

test('what a job leaves is believed only as far as it is what the wrapper writes', async () => {
  const file = join(await temporaryFolder(), 'outcome.json');
  const outcome = {
    ...{ version: 1, marker: 's/1.0', job: '7', node: 'n1', contained: true, gpus: [], survivors: [] },
    ...{
      end: { kind: 'exit', code: 0 },
      seconds: 1.5,
      cpu_seconds: 1,
      peak_rss_bytes: null,
      output_bytes: 3,
    },
    ...{ out_of_memory: false, metric: null, gpu: null, touched: [], artifacts: [], left_out: [] },
  };
  const read = async (text: string) => {
    await writeFile(file, text);
    return readOutcome(file, 's/1.0');
  };
  expect(await readOutcome(file, 's/1.0')).toEqual({ kind: 'missing' });
  expect(await read(JSON.stringify(outcome))).toEqual({ kind: 'read', value: { ...outcome, checks: [] } });
  const invalid = { kind: 'invalid' };
  expect(await read('{')).toMatchObject(invalid);
  expect(await read(JSON.stringify({ ...outcome, marker: 's/2.0' }))).toMatchObject(invalid);
  expect(await read(JSON.stringify({ ...outcome, seconds: -1 }))).toMatchObject(invalid);
  expect(await read(JSON.stringify({ ...outcome, seconds: 'soon' }))).toMatchObject(invalid);
  expect(await read(JSON.stringify({ ...outcome, end: { kind: 'exit', code: 999 } }))).toMatchObject(invalid);
  expect(await read(JSON.stringify({ ...outcome, node: 'n'.repeat(4_000_000) }))).toMatchObject(invalid);
  expect(await read(`"${'x'.repeat(5 * 1024 * 1024)}"`)).toMatchObject(invalid);
});

const ACCOUNT =
  'Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user’s size and/or time limits)';

test.each([
  [`QOSMaxSubmitJobPerUserLimit ${ACCOUNT}`, true],
  [`AssocMaxSubmitJobLimit ${ACCOUNT}`, true],
  [`AssocGrpSubmitJobsLimit ${ACCOUNT}`, true],
  [ACCOUNT, true],
  [`QOSMaxCpuPerUserLimit ${ACCOUNT}`, false],
  [`QOSMaxWallDurationPerJobLimit ${ACCOUNT}`, false],
  [`QOSMinGRES ${ACCOUNT}`, false],
  ['invalid partition specified: nowhere', false],
  ['Batch job submission failed: Invalid generic resource (gres) specification', false],
  ["unrecognized option '--bogus'", false],
  ['Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)', false],
])('sbatch says %s: whether it may take the job later is %s', (said, isLater) => {
  expect(isPassing(`sbatch: ${said}`)).toBe(isLater);
});
