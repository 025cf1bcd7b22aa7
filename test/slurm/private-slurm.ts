import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';

/**
 * A real Slurm on this machine, for one test or bench alone: its own munge key, configuration and ports, in a folder of
 * its own. Each of its nodes has four processors. Not covered: accounting (slurmdbd).
 */

const run = promisify(execFile);

const PROGRAMS = ['/usr/sbin/munged', '/usr/sbin/slurmctld', '/usr/sbin/slurmd', '/usr/bin/sbatch'];

/** Why there is no Slurm to test with; null where there is one. */
export function findSlurmFault(): string | null {
  const missing = PROGRAMS.filter(path => !existsSync(path));
  return missing.length === 0
    ? null
    : `Slurm is not installed (Debian: apt-get install slurm-wlm munge): ${missing.join(', ')}`;
}

export type PrivateSlurm = {
  /** For Slurm's programs. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder that everything on the node sees. */
  readonly folder: string;
  readonly slurm: (program: string, ...args: readonly string[]) => Promise<string>;
  readonly startController: () => Promise<void>;
  readonly stopController: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * @param more lines of its configuration
 * @param groups its configuration of control groups
 * @param nodes their names; jobs go to the last one if it is free
 */
export async function startSlurm(
  more = '',
  groups = '',
  nodes: readonly string[] = ['node1'],
): Promise<PrivateSlurm> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-slurm-')));
  // Jobs of anybody look for what is theirs in it.
  await chmod(folder, 0o755);
  const spools = nodes.map(name => `spool-${name}`);
  for (const name of ['munge', 'state', ...spools, 'shared'])
    await mkdir(join(folder, name), { mode: 0o711 });
  await writeFile(join(folder, 'munge/key'), randomBytes(64), { mode: 0o600 });
  const controllerPort = await freePort();
  const ports = await Promise.all(nodes.map(async name => [name, await freePort()] as const));
  const config = join(folder, 'slurm.conf');
  await writeFile(config, `${slurmConfig(folder, controllerPort, ports)}${more}`);
  if (groups !== '') await writeFile(join(folder, 'cgroup.conf'), groups);
  const { PATH = '', HOME = '' } = process.env;
  const environment = { PATH, HOME, SLURM_CONF: config };
  const daemons = new Map<string, ChildProcess>();
  const start = (name: string, program: string, ...args: readonly string[]) => {
    // Its own messages go to its log; what it says before there is one is of no use to a test.
    const child = spawn(program, args, { env: environment, stdio: 'ignore' });
    daemons.set(name, child);
  };
  const end = async (name: string) => {
    const child = daemons.get(name);
    daemons.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  };
  const slurm = async (program: string, ...args: readonly string[]) =>
    (await run(program, args, { env: environment })).stdout.trim();
  const until = async (check: () => Promise<boolean>) => {
    for await (const _ of setInterval(50)) if (await check()) return;
  };

  const munge = (name: string) => join(folder, 'munge', name);
  start(
    'munged',
    ...(['/usr/sbin/munged', '--foreground', '--force', `--key-file=${munge('key')}`] as const),
    ...[`--socket=${munge('socket')}`, `--pid-file=${munge('pid')}`, `--log-file=${munge('log')}`],
    `--seed-file=${munge('seed')}`,
  );
  await until(async () => existsSync(munge('socket')));
  const startController = async () => {
    start('slurmctld', '/usr/sbin/slurmctld', '-D', '-f', config);
    await until(() =>
      slurm('sinfo', '--noheader', '--format=%P').then(
        text => text !== '',
        () => false,
      ),
    );
  };
  await startController();
  for (const name of nodes) start(name, '/usr/sbin/slurmd', '-D', '-f', config, '-N', name);
  await until(async () => (await slurm('sinfo', '--noheader', '--format=%T', '--partition=main')) === 'idle');
  return {
    ...{ environment, slurm, startController },
    folder: join(folder, 'shared'),
    stopController: () => end('slurmctld'),
    stop: async () => {
      await slurm('scancel', '--user', userInfo().username).catch(() => {});
      for (const name of [...nodes, 'slurmctld', 'munged']) await end(name);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function slurmConfig(
  folder: string,
  controllerPort: number,
  nodes: readonly (readonly [name: string, port: number])[],
): string {
  const host = hostname().split('.')[0];
  const names = nodes.map(([name]) => name).join(',');
  const lines = nodes.map(
    ([name, port], at) =>
      `NodeName=${name} NodeAddr=127.0.0.1 NodeHostname=${host} Port=${port} CPUs=4 RealMemory=4000 Weight=${nodes.length - at} State=UNKNOWN`,
  );
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmUser=${userInfo().username}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
ReturnToService=2
KillWait=8
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
SlurmdParameters=config_overrides
${lines.join('\n')}
PartitionName=main Nodes=${names} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL
PartitionName=urgent Nodes=${names} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
`;
}
