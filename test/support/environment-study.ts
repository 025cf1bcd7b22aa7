import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { eventSchema } from '../../src/shared/events.ts';
import { eventsOf } from './pawl.ts';
import { PAWL_MAIN } from './pawl-command.ts';
import { contractFile, createRepository, temporaryFolder } from './scaffold.ts';
import { query } from './trainers.ts';

const run = promisify(execFile);

/** One that any user can run. */
export const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
/** An ordinary user, where the tests run as root. */
const USER = 65_534;

export type Who = 'root' | 'user';

export type Options = {
  readonly home?: string;
  readonly data?: string;
  readonly repository?: string;
  readonly train?: string;
  /** Runs in the training before it prints its number; a line that fails is a crash. */
  readonly script?: string;
  readonly contract?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly path?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly experiments?: number;
};

export type Seen = {
  readonly code: number | null;
  readonly contained: readonly boolean[];
  readonly verdicts: readonly string[];
  /** The metric of each verdict. */
  readonly metrics: readonly (number | null)[];
  readonly log: string;
  readonly stderr: string;
};

/** One sitting, and what its runs were. */
export async function study(who: Who, options: Options = {}): Promise<Seen> {
  const home = options.home ?? join(await temporaryFolder(), 'home');
  const data = options.data ?? join(await temporaryFolder(), 'data');
  for (const folder of [home, data]) await mkdir(folder, { recursive: true });
  const repository =
    options.repository ??
    (await createRepository({
      'train.sh': `LR=2\nset -e\n${options.script ?? ''}\necho "val_bpb: $LR"\n`,
      'pawl.toml': `${contractFile({ train: options.train ?? 'sh train.sh', limitSeconds: 120 })}${options.contract ?? ''}`,
      ...options.files,
    }));
  const isUser = who === 'user' && process.getuid?.() === 0;
  for (const folder of isUser ? [home, data, repository] : []) {
    await run('chown', ['-R', '--no-dereference', `${USER}:${USER}`, dirname(folder)]);
  }
  const command = [
    ...(isUser ? ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] : []),
    ...[process.execPath, PAWL_MAIN, 'run', repository, '--json', '-n', String(options.experiments ?? 0)],
  ];
  const [program = '', ...args] = command;
  const env = {
    ...{ PATH: [...(options.path ?? []), process.env.PATH].join(':'), HOME: home, PAWL_HOME: data },
    ...options.env,
  };
  const ended = await run(program, args, { env, cwd: '/' }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    error => ({ code: error.code as number, stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
  const events = ended.stdout
    .split('\n')
    .filter(Boolean)
    .map(line => eventSchema.parse(JSON.parse(line)));
  const log = eventsOf(events, 'run_started').at(-1)?.log;
  return {
    ...{ code: ended.code, stderr: ended.stderr },
    contained: !existsSync(join(data, 'pawl.sqlite'))
      ? []
      : query<{ contained: number }>(data, 'SELECT contained FROM run ORDER BY id').map(
          row => row.contained === 1,
        ),
    metrics: eventsOf(events, 'verdict').map(({ metric }) => (typeof metric === 'number' ? metric : null)),
    verdicts: eventsOf(events, 'verdict').map(({ verdict, reason }) => `${verdict} ${reason}`),
    log: log === undefined ? '' : await readFile(log, 'utf8'),
  };
}

export async function versionOf(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(program, [...args]);
  return (stdout || stderr).trim().split('\n')[0] ?? '';
}

export function expectContained(seen: Seen): { readonly contained: 'yes' } {
  expect(seen, seen.log).toMatchObject({ code: 0, stderr: '' });
  expect(seen.contained.every(Boolean) && seen.contained.length > 0).toBe(true);
  expect(seen.verdicts[0]).toBe('keep baseline');
  return { contained: 'yes' };
}
