import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { killIfThere } from '../support/processes.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { until } from '../support/until.ts';

/** A real sshd for this test alone, on a port of the loopback, with keys and a home of its own. */

const run = promisify(execFile);
const SSHD = '/usr/sbin/sshd';

/** Why there is no sshd to test with; null where there is one. */
export function findSshdFault(): string | null {
  return existsSync(SSHD) ? null : 'sshd is not installed (Debian: apt-get install openssh-server).';
}

export type PrivateSshd = {
  /** Options of ssh that know the host. */
  readonly options: readonly string[];
  /** File with ssh's configuration for the host. */
  readonly config: string;
  readonly port: number;
  /** Home of who signs in. */
  readonly home: string;
  readonly start: () => Promise<void>;
  /** Ends it, and every connection that it has. */
  readonly cut: () => Promise<void>;
  /** It says nothing more, on old connections and new ones, until it is thawed; what it has started goes on. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** @param host what ssh calls it */
export async function startSshd(host = 'lab'): Promise<PrivateSshd> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pawl-sshd-')));
  const file = (name: string) => join(folder, name);
  const home = file('home');
  await mkdir(home);
  for (const key of ['host', 'user'])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  const port = await freePort();
  await writeFile(file('known'), `[127.0.0.1]:${port} ${await readFile(file('host.pub'), 'utf8')}`);
  await writeFile(
    file('sshd_config'),
    `ListenAddress 127.0.0.1:${port}
HostKey ${file('host')}
AuthorizedKeysFile ${file('user.pub')}
PidFile ${file('sshd.pid')}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv HOME=${home}
`,
  );
  await writeFile(
    file('config'),
    `Host ${host}
  HostName 127.0.0.1
  Port ${port}
  User ${userInfo().username}
  IdentityFile ${file('user')}
  IdentitiesOnly yes
  UserKnownHostsFile ${file('known')}
  StrictHostKeyChecking yes
`,
  );
  // It asks for this one where root starts it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  let daemon: ChildProcess | null = null;
  const answers = async () => {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return isOpen;
  };
  const start = async () => {
    daemon = spawn(SSHD, ['-D', '-e', '-f', file('sshd_config')], { stdio: 'ignore' });
    await until(answers);
  };
  const cut = async () => {
    if (!daemon?.pid) return;
    const sessions = await childrenOf(daemon.pid);
    const ended = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await ended;
    daemon = null;
    // One whose client is gone may have ended meanwhile.
    for (const pid of sessions) killIfThere(pid);
  };
  const signalAll = async (signal: NodeJS.Signals) => {
    if (!daemon?.pid) return;
    for (const pid of [daemon.pid, ...(await childrenOf(daemon.pid))]) killIfThere(pid, signal);
  };
  await start();
  return {
    ...{ options: ['-F', file('config')], config: file('config'), port, home, start, cut },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    stop: async () => {
      await cut();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A PATH on which `ssh` knows the hosts; OpenSSH finds the user's own configuration by the password file only. */
export async function pathWithHosts(...hosts: readonly PrivateSshd[]): Promise<string> {
  const folder = await temporaryFolder();
  const config = join(folder, 'config');
  await writeFile(config, hosts.map(host => `Include ${host.config}\n`).join(''));
  const file = join(folder, 'ssh');
  await writeFile(file, `#!/bin/sh\nexec /usr/bin/ssh -F '${config}' "$@"\n`);
  await chmod(file, 0o755);
  return `${folder}${delimiter}${process.env.PATH}`;
}

/** Gives the host a stand-in for nvidia-smi, which lists GPUs that are not there. */
export async function giveGpus({ home }: PrivateSshd, gpus: readonly { uuid: string; name: string }[]) {
  const lines = (line: (gpu: { uuid: string; name: string }, index: number) => string) =>
    gpus
      .map(
        (gpu, index) =>
          `case "$*" in *--id=*) case "$*" in *${gpu.uuid}*) ;; *) false ;; esac ;; esac && echo "${line(gpu, index)}"`,
      )
      .join('\n  ');
  const script = `#!/bin/sh
case "$*" in
-L)
  ${lines(({ uuid, name }, index) => `GPU ${index}: ${name} (UUID: ${uuid})`)} ;;
*--query-gpu=uuid,name\\ *)
  ${lines(({ uuid, name }) => `${uuid}, ${name}`)} ;;
*--query-gpu=name,uuid\\ *)
  ${lines(({ uuid, name }) => `${name}, ${uuid}`)} ;;
esac
exit 0
`;
  await mkdir(join(home, 'bin'), { recursive: true });
  await writeFile(join(home, 'bin/nvidia-smi'), script, { mode: 0o755 });
  await writeFile(join(home, '.bash_profile'), 'PATH=$HOME/bin:$PATH\n');
}

/** Processes that a daemon has started, one for each connection. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    const [, ppid] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (Number(ppid) === parent) found.push(Number(name));
  }
  return found;
}
