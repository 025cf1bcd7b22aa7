import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { seccompFilter } from '../../../scripts/make-seccomp.mjs';
import { adviseOnNamespaces } from '../../../src/engine/sandbox/find-sandbox.ts';
import { boundSockets } from '../../../src/engine/sandbox/sockets.ts';
import { giveTo } from '../../../src/engine/sandbox/unprivileged.ts';
import {
  answers,
  can,
  contained,
  ORDINARY,
  runContained,
  runContainedAsUser,
} from '../../support/contained.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';

const run = promisify(execFile);
/** Root and an ordinary user see the same walls. */
const WHOSE = [
  ['root', runContained],
  ['an ordinary user', runContainedAsUser],
] as const;

/** Says what the kernel answers to a system call: its number, and up to five arguments. */
const CALL = `import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *numbers):
    answer = libc.syscall(*[ctypes.c_long(number) for number in numbers])
    print(name, "yes" if answer != -1 else errno.errorcode[ctypes.get_errno()])
`;

contained.each(WHOSE)('nothing of the kernel can be written or asked for more (%s)', async (_, inside) => {
  const calls = [
    ['keyctl', 250, 0, -3],
    ['add_key', 248, 0, 0],
    ['io_uring', 425, 1, 0],
    ['userfaultfd', 323, 0],
    ['mount', 165, 0, 0],
    ['unshare_user', 272, 0x10000000],
    ['vsock', 41, 40, 1, 0],
    ['clone3', 435, 0, 0],
  ];
  const script = `${CALL}\n${calls.map(([name, ...numbers]) => `call("${name}", ${numbers.join(', ')})`).join('\n')}`;
  const { stdout } = await inside(`python3 - <<'END'\n${script}\nEND
${can('sysctl', 'cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness')}
${can('settings', 'test -w /proc/sys/vm/swappiness || test -w /sys/kernel/mm')}
${can('topology', 'ls /sys/devices/system/cpu')}
${can('keys', 'test -s /proc/keys')}
${can('shadow', 'cat /etc/shadow')}
${can('threads', 'python3 -c "import threading; t = threading.Thread(target=print); t.start(); t.join()"')}
${can('shared', `python3 -c "import multiprocessing as m; m.Pool(2).map(abs, [1]); m.shared_memory" || python3 -c "from multiprocessing import Pool; Pool(2).map(abs, [1])"`)}
${can('tmp', 'echo x > /tmp/x && echo x > /dev/shm/x && echo x > "$HOME/x" && echo x > ./x')}
${can('capabilities', 'grep -q "^CapEff:.*[1-9a-f]" /proc/self/status')}
`);
  if (process.arch === 'x64') {
    expect(stdout).toContain('keyctl EPERM\nadd_key EPERM\nio_uring EPERM\nuserfaultfd EPERM\nmount EPERM\n');
    expect(stdout).toContain('unshare_user EPERM\nvsock EAFNOSUPPORT\nclone3 ENOSYS\n');
  }
  expect(answers(stdout)).toEqual({
    ...{ sysctl: 'no', settings: 'no', topology: 'yes', keys: 'no', shadow: 'no', threads: 'yes' },
    ...{ shared: 'yes', tmp: 'yes', capabilities: 'no' },
  });
});

contained(
  'where Pawl is root a training is somebody without groups, and what it makes is not root’s',
  async () => {
    const { stdout } = await runContained(
      'id -u; id -G; grep NoNewPrivs /proc/self/status; touch made; stat -c %u made',
    );
    const identity = process.getuid?.() === 0 ? ORDINARY : process.getuid?.();
    expect(stdout.split('\n')[0]).toBe(String(identity));
    if (process.getuid?.() === 0)
      expect(stdout).toBe(`${ORDINARY}\n${ORDINARY}\nNoNewPrivs:\t1\n${ORDINARY}\n`);
  },
);

contained.each(WHOSE)(
  'nobody who has a socket on this machine can be reached by its path (%s)',
  async (_, inside) => {
    const place = await mkdtemp('/var/tmp/pawl-test-');
    onTestFinished(() => rm(place, { recursive: true, force: true }));
    await chmod(place, 0o755);
    const [open, letIn] = [join(place, 'open.sock'), join(place, 'data', 'let-in.sock')];
    await mkdir(join(place, 'data'));
    for (const path of [open, letIn]) {
      const server = createServer(socket => socket.end()).listen(path);
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      await chmod(path, 0o777);
    }
    expect(await boundSockets()).toEqual(expect.arrayContaining([open, letIn]));
    const connect = (path: string) =>
      `python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("${path}")'`;
    await run('sh', ['-c', connect(open)]);
    const { stdout } = await inside([can('open', connect(open)), can('let_in', connect(letIn))].join('\n'), {
      sandbox: { reads: [join(place, 'data')] },
    });
    expect(answers(stdout)).toEqual({ open: 'no', let_in: 'yes' });
  },
);

contained('tokens are not to be seen, whatever is let in', async () => {
  const home = join(await temporaryFolder(), 'home');
  await writeFiles(home, {
    '.cache/huggingface/token': 'secret',
    '.cache/huggingface/hub/models--a/refs/main': 'abc',
    '.netrc': 'secret',
    'data/rows': 'rows',
  });
  const script = [
    can('token', `grep secret ${home}/.cache/huggingface/token`),
    can('netrc', `grep secret ${home}/.netrc`),
    can('hub', 'grep abc "$HF_HUB_CACHE/models--a/refs/main"'),
    can('anywhere', 'grep -rs secret /run/pawl "$HF_HOME"'),
  ].join('\n');
  for (const reads of [[], ['~/.cache', '~/.netrc'], ['~/.cache/huggingface']]) {
    const { stdout } = await runContained(script, { home, sandbox: { reads } });
    expect(answers(stdout)).toEqual({ token: 'no', netrc: 'no', hub: 'yes', anywhere: 'no' });
  }
  const own = join(home, 'data');
  await writeFile(join(own, 'token'), 'secret');
  const environment = { HF_HOME: own };
  const { stdout } = await runContained(can('own', `grep secret ${own}/token "$HF_HOME/token"`), {
    home,
    environment,
  });
  expect(answers(stdout)).toEqual({ own: 'no' });
});

test('what has other names stays whose it is, and no link is followed', async () => {
  if (process.getuid?.() !== 0) return;
  const folder = await temporaryFolder();
  const outside = await temporaryFolder();
  await writeFiles(outside, { file: 'x' });
  await writeFiles(folder, { 'deep/plain': 'x', 'kept/file': 'x' });
  await run('ln', [join(outside, 'file'), join(folder, 'hard')]);
  await symlink(outside, join(folder, 'link'));
  await giveTo({ uid: ORDINARY, gid: ORDINARY }, folder, new Set([join(folder, 'kept')]));
  const { stdout } = await run(
    'stat',
    ['-c', '%u %n', 'deep', 'deep/plain', 'hard', 'link', 'kept', 'kept/file'],
    {
      cwd: folder,
    },
  );
  expect(stdout).toBe(
    `${ORDINARY} deep\n${ORDINARY} deep/plain\n0 hard\n${ORDINARY} link\n0 kept\n0 kept/file\n`,
  );
  expect((await run('stat', ['-c', '%u', outside, join(outside, 'file')])).stdout).toBe('0\n0\n');
});

test.each(['x64', 'arm64'] as const)('the filter of system calls is what its list makes (%s)', async arch => {
  const file = new URL(`../../../resources/seccomp/${arch}.bpf`, import.meta.url);
  expect((await readFile(file)).equals(seccompFilter(arch))).toBe(true);
});

test('where AppArmor forbids namespaces the profile stands there to be copied, and a second time what is wrong with it', async () => {
  const folder = await temporaryFolder();
  const files = { restricts: join(folder, 'restrict'), profile: join(folder, 'bwrap') };
  expect(await adviseOnNamespaces('/usr/bin/bwrap', files)).toContain('kernel.unprivileged_userns_clone');
  await writeFile(files.restricts, '1\n');
  const advice = await adviseOnNamespaces('/usr/bin/bwrap', files);
  expect(advice).toContain(`sudo apparmor_parser -r ${files.profile}\n`);
  expect(advice).toMatch(/\nprofile bwrap \/usr\/bin\/bwrap flags=\(unconfined\) \{\n {2}userns,\n\}\n$/);
  await writeFile(files.profile, 'profile');
  expect(await adviseOnNamespaces('/usr/bin/bwrap', files)).toContain('although there is a profile');
  expect(await readdir(folder)).toEqual(['bwrap', 'restrict']);
});
