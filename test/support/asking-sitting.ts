import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { eventSchema } from '../../src/shared/events.ts';
import { ORDINARY } from './contained.ts';
import { KEY } from './model-night.ts';
import type { ModelServer } from './model-server.ts';
import { eventsOf } from './pawl.ts';
import { COMPILE_CACHE, PAWL_MAIN } from './pawl-command.ts';
import { contractFile, createRepository, temporaryFolder } from './scaffold.ts';

const run = promisify(execFile);
const MODEL = 'claude-haiku-5-5';

/** The baseline, run in the terminal, of a study whose training calls the server's model. */
export async function askingSitting(
  server: ModelServer,
  options: {
    /** Root if the tests run as root, or an ordinary user. */
    readonly who: 'root' | 'user';
    readonly sandbox: 'required' | 'off';
    readonly train: string;
    readonly files: Readonly<Record<string, string>>;
    readonly reads?: readonly string[];
  },
): Promise<{ readonly log: string; readonly verdicts: readonly string[]; readonly stderr: string }> {
  const base = await temporaryFolder();
  const [home, data] = [join(base, 'home'), join(base, 'data')];
  for (const folder of [home, data]) await mkdir(folder);
  const repository = await createRepository({
    'train.sh': 'LR=2\n',
    'pawl.toml': `${contractFile({ train: options.train, limitSeconds: 60 })}
[model]
name = "${MODEL}"
base_url = "${server.url}"
[sandbox]
reads = ${JSON.stringify(options.reads ?? [])}
`,
    ...options.files,
  });
  const isUser = options.who === 'user' && process.getuid?.() === 0;
  for (const folder of isUser ? [base, dirname(repository)] : []) {
    await run('chown', ['-R', '--no-dereference', `${ORDINARY}:${ORDINARY}`, folder]);
  }
  const [program = '', ...args] = [
    ...(isUser ? ['setpriv', `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, '--clear-groups'] : []),
    ...[process.execPath, PAWL_MAIN, 'run', repository, '--json', '-n', '0'],
  ];
  const environment = {
    ...{ PATH: process.env.PATH, HOME: home, PAWL_HOME: data, PAWL_SANDBOX: options.sandbox },
    ...{ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: server.url, NODE_COMPILE_CACHE: COMPILE_CACHE },
    // Nothing answers at this proxy; calls to Pawl must bypass it.
    ...{ HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9', NO_PROXY: 'example.org' },
  };
  const { stdout, stderr } = await run(program, args, { env: environment, cwd: '/' }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => eventSchema.parse(JSON.parse(line)));
  const log = eventsOf(events, 'run_started').at(-1)?.log;
  return {
    log: log === undefined ? '' : await readFile(log, 'utf8'),
    verdicts: eventsOf(events, 'verdict').map(({ verdict, reason }) => `${verdict} ${reason}`),
    stderr,
  };
}
