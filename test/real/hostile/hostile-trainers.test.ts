import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { slowness } from '../../support/clock.ts';
import { eventsOf, pawl } from '../../support/pawl.ts';
import { findMarked, lives } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/scaffold.ts';
import { byExperiment, hostileStudy, query, TAG } from '../../support/trainers.ts';

type CrashRow = { n: number; crash: string | null; outcome: string };

/** What the ledger has of each run: how it ended and how that was classed. */
function runs(home: string) {
  return query<CrashRow>(
    home,
    'SELECT e.n, crash, outcome FROM run JOIN experiment e ON e.id = experiment_id ORDER BY e.n, k',
  ).map(({ n, crash, outcome }) => ({
    n,
    outcome: JSON.parse(outcome) as { kind: string; code?: number; signal?: number },
    crash: crash === null ? null : (JSON.parse(crash) as { class: string; message: string; tail: string[] }),
  }));
}

test('every way to fail gets its own class and message', async () => {
  const progress = String.raw`write(b'\rstep 00012 (3.0%) | loss: 3.1 | dt: 315ms    ')`;
  const { home, verdicts, messages, metrics } = await hostileStudy({
    experiments: 10,
    script: byExperiment(
      'report(0.5)',
      'os.kill(os.getpid(), signal.SIGSEGV)',
      'report(0.1)\nos.kill(os.getpid(), signal.SIGKILL)',
      `${progress}\nraise ValueError('shapes do not match')`,
      `${progress}\nprint('FAIL')\nsys.exit(1)`,
      'x = bytearray(2 ** 62)',
      `${progress}\nraise RuntimeError('CUDA out of memory. Tried to allocate 20.00 GiB')`,
      `${progress}\nassert 524288 % (96 * 2048) == 0, 'batch does not divide'`,
      'report(0.1)\nsys.exit(3)',
      "print('bye', file=sys.stderr)\nos._exit(137)",
      'os.abort()',
    ),
  });
  expect(verdicts).toEqual([
    'keep baseline',
    'crash killed',
    'crash killed',
    'crash exception',
    'crash diverged',
    'crash out_of_memory',
    'crash out_of_memory',
    'crash exception',
    'crash exception',
    'crash killed',
    'crash killed',
  ]);
  expect(messages.slice(1)).toEqual([
    'Ended by signal 11.',
    expect.stringMatching(/^Ended by signal 9\b/),
    'ValueError: shapes do not match',
    'The training reported FAIL: the loss was not finite or too large.',
    expect.stringMatching(/^(MemoryError|OverflowError)/),
    expect.stringContaining('CUDA out of memory. Tried to allocate 20.00 GiB'),
    'AssertionError: batch does not divide',
    'Ended with exit code 3.',
    expect.stringMatching(/^Ended by signal 9\b/),
    'Ended by signal 6.',
  ]);
  expect(metrics.slice(1)).toEqual(Array(10).fill(null));
  const raised = runs(home)[3];
  expect(raised?.crash?.tail[0]).toBe('Traceback (most recent call last):');
  expect(raised?.crash?.tail.at(-1)).toBe('ValueError: shapes do not match');
});

test('a death by signal is not an exit with code 0, with or without a shell around it', async () => {
  const script = byExperiment(
    'report(0.5)',
    'report(0.1)\nos.kill(os.getpid(), signal.SIGSEGV)',
    'report(0.1)\nos.kill(os.getpid(), signal.SIGKILL)',
    'report(0.1)\nos.kill(os.getpid(), signal.SIGHUP)',
  );
  const leader = await hostileStudy({ script, experiments: 3, isLeader: true });
  expect(runs(leader.home).map(run => run.outcome)).toEqual([
    { kind: 'exit', code: 0 },
    ...[11, 9, 1].map(signal => ({ kind: 'signal', signal })),
  ]);
  const child = await hostileStudy({ script, experiments: 3 });
  expect(leader.verdicts).toEqual(['keep baseline', ...Array(3).fill('crash killed')]);
  expect(child.verdicts).toEqual(leader.verdicts);
  expect(child.messages).toEqual(leader.messages);
});

test('only a finite number in the last summary counts', async () => {
  const { verdicts, metrics, messages } = await hostileStudy({
    experiments: 10,
    script: byExperiment(
      'report(0.5)',
      "report('nan')",
      "report('inf')",
      "report('-inf')",
      "print('done')",
      'report(0.4)\nreport(0.45)',
      String.raw`print('val_bpb: 0.1\n---\nnum_steps: 5')`,
      "report('n/a')",
      "report(0.1)\nreport('n/a')",
      "report('0.1.2.3')",
      "report('1e999')",
    ),
  });
  expect(verdicts).toEqual([
    'keep baseline',
    'crash diverged',
    'crash diverged',
    'crash diverged',
    'crash no_metric',
    'keep better',
    'crash no_metric',
    'crash no_metric',
    'crash no_metric',
    'crash no_metric',
    'crash diverged',
  ]);
  expect(metrics).toEqual([0.5, null, null, null, null, 0.45, null, null, null, null, null]);
  expect(messages[1]).toBe('val_bpb is NaN.');
  expect(messages[4]).toBe('Ended with exit code 0 but printed no val_bpb.');
});

test('a training that will not end is ended at the limit, and nothing of it lives on', async () => {
  const deaf =
    'for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)\n';
  const { home, id, verdicts, metrics, messages, events } = await hostileStudy({
    experiments: 6,
    limitSeconds: 2,
    script: byExperiment(
      'report(0.5)',
      // A metric before the hang is no result. A deaf child, and a deaf grandchild in a session of its own.
      `${deaf}report(0.1)\ndaemon(lambda: time.sleep(600))\nsubprocess.Popen(['sleep', '600'])\ntime.sleep(600)`,
      'time.sleep(600)',
      'report(0.1)\nos.close(1)\nos.close(2)\ntime.sleep(600)',
      'sys.stdin.readline()\nreport(0.4)\nsys.stdin.readline()\ntime.sleep(600)',
      "open('/dev/tty').readline()\ntime.sleep(600)",
      'os.kill(os.getpid(), signal.SIGSTOP)',
    ),
  });
  expect(verdicts).toEqual(['keep baseline', ...Array(6).fill('crash timeout')]);
  expect(metrics.slice(1)).toEqual(Array(6).fill(null));
  expect(messages[1]).toBe("Timed out after 2 s, the contract's limit.");
  const finished = eventsOf(events, 'run_finished');
  expect(finished.flatMap(event => event.survivors)).toEqual([]);
  // Only the deaf one costs the whole grace.
  expect(finished[1]?.seconds).toBeGreaterThan(6.9);
  expect(finished[1]?.seconds).toBeLessThan(9 * slowness());
  for (const { seconds } of finished.slice(2)) expect(seconds).toBeLessThan(4 * slowness());
  expect(await findMarked(id)).toEqual([]);
  expect(runs(home)[1]?.outcome).toEqual({ kind: 'timeout' });
});

test('a daemon is gone when its run is judged, also one that cleared its environment', async () => {
  const shared = await temporaryFolder();
  const pids = join(shared, 'pids');
  const sleeper = `(
    signal.signal(signal.SIGHUP, signal.SIG_IGN),
    open(${JSON.stringify(pids)}, 'a').write('%d\\n' % os.getpid()),
    WAIT,
    os.execve('/bin/sleep', ['sleep', '600'], ENVIRONMENT),
  )`;
  const start = (wait: string, environment: string) =>
    `started = time.time()\ndaemon(lambda: ${sleeper.replace('WAIT', wait).replace('ENVIRONMENT', environment)})\n` +
    `while not os.path.exists(${JSON.stringify(pids)}) or len(open(${JSON.stringify(pids)}).readlines()) < n + 1: time.sleep(0.01)\n`;
  const { verdicts, metrics, events } = await hostileStudy({
    experiments: 2,
    script: byExperiment(
      `${start('0', 'os.environ')}report(0.5)`,
      `${start('0', 'os.environ')}os.closerange(0, 3)\ntime.sleep(0.5)`,
      // Below the root for some seconds, so it was seen there before it hid.
      `child = os.fork()
if child == 0:
    os.setsid()
    time.sleep(3)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    open(${JSON.stringify(pids)}, 'a').write('%d\\n' % os.getpid())
    os.execve('/bin/sleep', ['sleep', '600'], {})
while len(open(${JSON.stringify(pids)}).readlines()) < 3: time.sleep(0.01)
report(0.4)`,
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'crash no_metric', 'keep better']);
  expect(metrics).toEqual([0.5, null, 0.4]);
  expect(eventsOf(events, 'run_finished').flatMap(event => event.survivors)).toEqual([]);
  const daemons = (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
  expect(daemons).toHaveLength(3);
  for (const pid of daemons) expect(await lives(pid)).toBe(false);
});

test('a training that closes its terminal may go on and ends by itself', async () => {
  const { verdicts, home } = await hostileStudy({
    experiments: 2,
    isLeader: true,
    script: byExperiment(
      'report(0.5)',
      'report(0.4)\nos.close(1)\nos.close(2)\ntime.sleep(0.7)\nos._exit(0)',
      // As under `< /dev/null > run.log 2>&1`: no descriptor of the terminal is left open.
      "report(0.3)\nfor fd in (0, 1, 2): os.close(fd)\ntime.sleep(0.7)\nopen('lived', 'w').close()\nos._exit(0)",
    ),
  });
  expect(runs(home).map(run => run.outcome)).toEqual(Array(3).fill({ kind: 'exit', code: 0 }));
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
});

test('the training sees the allowed environment, a terminal, and no descriptor or secret of the engine', async () => {
  const { home, log, verdicts } = await hostileStudy({
    experiments: 0,
    more: 'environment = ["MY_DATA", "NAMED_API_KEY"]',
    env: {
      FOO_API_KEY: 'secret-1',
      AWS_SECRET_ACCESS_KEY: 'secret-2',
      ANTHROPIC_API_KEY: 'secret-3',
      HF_TOKEN: 'secret-4',
      CUDA_AUTH_TOKEN: 'secret-5',
      SSH_AUTH_SOCK: '/secret-6',
      MY_DATA: 'shown',
      NAMED_API_KEY: 'shown too',
      OMP_NUM_THREADS: '3',
    },
    script: byExperiment(`import json
fds = {}
for fd in os.listdir('/proc/self/fd'):
    try: fds[fd] = os.readlink('/proc/self/fd/' + fd)
    except OSError: pass
print(json.dumps({
    'environment': dict(os.environ),
    'fds': fds,
    'tty': [os.isatty(fd) for fd in (0, 1, 2)],
    'leader': os.getsid(0) == os.getpgid(0),
    'cwd': os.getcwd(),
}))
report(1)`),
  });
  expect(verdicts).toEqual(['keep baseline']);
  const printed = (await log(0)).toString('utf8');
  expect(printed).not.toContain('secret-');
  const seen = JSON.parse(printed.split('\n')[0] ?? '') as {
    environment: Record<string, string>;
    fds: Record<string, string>;
    tty: boolean[];
    leader: boolean;
    cwd: string;
  };
  expect(seen.environment).toMatchObject({
    PYTHONUNBUFFERED: '1',
    MY_DATA: 'shown',
    NAMED_API_KEY: 'shown too',
    OMP_NUM_THREADS: '3',
  });
  expect(Object.keys(seen.environment)).not.toContain('PAWL_HOME');
  // Nobody is there to answer a question.
  expect(seen.tty).toEqual([false, true, true]);
  // Whatever the engine has open it opened for itself: its ledger, lock and log, its sockets and timers.
  const inherited = Object.values(seen.fds).filter(
    path => path.startsWith(home) || /^(?:socket|anon_inode)/.test(path),
  );
  expect(inherited).toEqual([]);
  expect(seen.leader).toBe(true);
});

test('control sequences and bytes that are no text neither hide a metric nor reach the screen', async () => {
  const dirty = String.raw`b'\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x1b\\\x1b[2J\x1b[H\xff\xfe\x9b31m\xc2\x9b1m\x1bP1$r\x1b\\\x08\x00'`;
  const traceback = String.raw`b'Traceback (most recent call last):\n  File "\x1b[31mtrain.py\x1b[0m", line 1\n\x1b]0;evil\x07ValueError: \x1b[1mbad\x1b[0m \xff\xe2\x98\n'`;
  const { home, repository, verdicts, metrics, log } = await hostileStudy({
    experiments: 2,
    script: byExperiment(
      String.raw`write(${dirty} + b'\n---\n\x1b[32mval_bpb:\x1b[0m   \x1b[1m0.5\x1b[0m\x1b[K\n' + ${dirty} + b'\n')`,
      String.raw`write(b'---\n\x1b]0;t\x07val_bpb: 0.4\x1b]8;;http://x\x1b\\\nstep 1 | \x1b[3mloss\x1b[0m: 2\n\x1b]0;open')`,
      `write(${dirty} + ${traceback} + ${dirty})\nos._exit(1)`,
    ),
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'crash exception']);
  expect(metrics).toEqual([0.5, 0.4, null]);
  const crash = runs(home)[2]?.crash;
  const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;
  expect(JSON.stringify(crash)).not.toMatch(control);
  expect(crash?.tail[1]).toBe('  File "train.py", line 1');
  expect(crash?.message).toMatch(/^ValueError: bad /);
  for (const n of ['0', '1', '2']) {
    const { stdout, code } = await pawl(['show', n, '-C', repository, '--tag', TAG], { home });
    expect(code).toBe(0);
    expect(stdout).not.toMatch(control);
    expect(stdout).not.toMatch(/owned|evil|ZXZpbA/);
  }
  const bytes = [...'\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x1b\\\x1b[2J\x1b[H'].map(c => c.charCodeAt(0));
  expect([...(await log(0)).subarray(0, bytes.length + 6)]).toEqual([
    ...bytes,
    ...[0xff, 0xfe, 0x9b, 0x33, 0x31, 0x6d],
  ]);
  expect((await log(1)).subarray(-8).toString('latin1')).toBe('\x1b]0;open');
});
