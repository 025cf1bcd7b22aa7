import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';
import { eventSchema } from '../../src/shared/events.ts';
import { checkInvariants } from './invariants.ts';
import { eventsOf, type PawlResult, sitting } from './pawl.ts';
import { PAWL_MAIN } from './pawl-command.ts';
import { QUICK_PYTHON } from './python.ts';
import {
  contractFile,
  createRepository,
  snapshotUserState,
  temporaryFolder,
  writeFiles,
} from './scaffold.ts';

export const TAG = 'night';

/**
 * The beginning of every Python trainer: the numbers of its experiment and run, upstream's summary, and constants for
 * the search to change, so that no proposer that might be asked for repairs is needed.
 */
const PRELUDE = `ALPHA = 2
BETA = 4
GAMMA = 16
DELTA = 32
place = os.environ.get('PAWL_RUN', 'x/0.0').split('/')[1]
n, k = (int(part) for part in place.split('.')[:2])
def write(data):
    while data:
        data = data[os.write(1, data):]
def report(value):
    write(('\\n---\\nval_bpb: %s\\npeak_vram_mb: 1.0\\n' % value).encode())
def daemon(body, clear=False):
    # Forks twice with a session of its own; the caller goes on.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            body()
            os._exit(0)
        os._exit(0)
    os.wait()
`;

/** Modules that take longer to load than most trainers run. */
const SLOW_MODULES = ['socket', 'subprocess'];

/** The import line of a script; of {@link SLOW_MODULES} only those that it names. */
function importsOf(script: string): string {
  const named = SLOW_MODULES.filter(name => script.includes(`${name}.`));
  return `import ${['os', 'signal', 'sys', 'time', ...named].join(', ')}\n`;
}

/** A Python trainer that runs `bodies[n]` in experiment `n`, and the last body in all later ones. */
export function byExperiment(...bodies: readonly string[]): string {
  const indented = (body: string) =>
    body
      .trim()
      .split('\n')
      .map(line => `    ${line}`)
      .join('\n');
  return bodies
    .map((body, index) => {
      const head = index === 0 ? 'if n == 0:' : index < bodies.length - 1 ? `elif n == ${index}:` : 'else:';
      return `${bodies.length === 1 ? 'if True:' : head}\n${indented(body)}\n`;
    })
    .join('');
}

export type HostileStudy = PawlResult & {
  readonly home: string;
  readonly repository: string;
  readonly id: string;
  readonly events: Awaited<ReturnType<typeof sitting>>['events'];
  /** `keep better`, `crash timeout` and so on, by experiment. */
  readonly verdicts: readonly string[];
  readonly metrics: readonly (number | null)[];
  readonly messages: readonly (string | null)[];
  /** The output of run `k` of experiment `n`, byte for byte. */
  log(n: number, k?: number): Promise<Buffer>;
};

export type HostileOptions = {
  /** Python, placed after `PRELUDE`. */
  readonly script: string;
  readonly experiments: number;
  readonly limitSeconds?: number;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Whether the interpreter leads the session, with no shell above it. */
  readonly isLeader?: boolean;
  /** Lines for the `[contract]` table. */
  readonly more?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  /** Root may do anything with any file; this runs Pawl subject to access rights, like other users. */
  readonly isBoundByRights?: boolean;
  /** Made by the caller if it must prepare more than files. */
  readonly repository?: string;
};

export function trainerFiles(
  options: Pick<HostileOptions, 'script' | 'limitSeconds' | 'files' | 'more' | 'isLeader'>,
): Readonly<Record<string, string | Buffer>> {
  const { script, limitSeconds = 20, files = {}, more = '', isLeader = false } = options;
  return {
    'train.sh': importsOf(script) + PRELUDE + script,
    // On a busy machine a run may take about as long as the contract says, and the next one longer: no test here is
    // about that.
    'pawl.toml': `${contractFile({
      train: `${isLeader ? 'exec ' : ''}${QUICK_PYTHON} train.sh`,
      ...{ limitSeconds, more },
    })}tolerance = 10\n`,
    'prepare.sh': 'echo fixed\n',
    'README.md': 'A test.\n',
    ...files,
  };
}

/** One sitting with a Python trainer, after which the invariants must hold. */
export async function hostileStudy(options: HostileOptions): Promise<HostileStudy> {
  const { experiments, flags = [], env = {} } = options;
  const home = options.home ?? (await temporaryFolder());
  const repository = options.repository ?? (await createRepository(trainerFiles(options)));
  const userState = await snapshotUserState(repository);
  const args = ['run', repository, '--tag', TAG, '-n', String(experiments), '--trust-setup', ...flags];
  const result = await (options.isBoundByRights && process.getuid?.() === 0
    ? sittingBoundByRights(args, home)
    : sitting(args, { home, env }));
  await checkInvariants({ repository, home, tag: TAG, userState, editable: ['train.sh'] }).catch(cause => {
    throw new Error(`${(cause as Error).message}\npawl ${result.code}: ${result.stderr}`, { cause });
  });
  const verdicts = eventsOf(result.events, 'verdict');
  const id = verdicts[0]?.study ?? '';
  return {
    ...result,
    ...{ home, repository, id },
    verdicts: verdicts.map(event => `${event.verdict} ${event.reason}`),
    metrics: verdicts.map(event => event.metric),
    messages: verdicts.map(event => event.message),
    log: (n, k = 0) => readFile(logPath(home, id, n, k)),
  };
}

async function sittingBoundByRights(args: readonly string[], home: string) {
  const capabilities = ['--bounding-set', '-dac_override,-dac_read_search'];
  const { stdout, stderr, code } = await promisify(execFile)(
    'setpriv',
    [...capabilities, process.execPath, PAWL_MAIN, ...args, '--json'],
    { cwd: home, env: { ...process.env, PAWL_HOME: home } },
  ).then(
    output => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map(line => eventSchema.parse(JSON.parse(line)));
  return { stdout, stderr, code, signal: null, events };
}

export function logPath(home: string, study: string, n: number, k = 0): string {
  return join(home, 'studies', study, 'runs', k === 0 ? String(n) : `${n}.${k}`, 'output.log');
}

/** Rows of the ledger, read from outside. */
export function query<T>(home: string, sql: string): readonly T[] {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

/** The peak resident memory of a process, in MiB. Source: VmHWM in proc(5). */
export async function peakMemoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Every additional line in the file is a gain, so that every attempt is kept. */
export const LONGER_IS_BETTER = `[ -e __pycache__/x.pyc ] && exit 9
printf -- '---\\nval_bpb: 0.%02d\\n' $((99 - $(wc -l < train.sh)))
`;

/** A repository of the shell trainer in which every additional line is a gain. */
export const SHELL_FILES = {
  'train.sh': LONGER_IS_BETTER,
  'pawl.toml': contractFile(),
  'prepare.sh': 'echo fixed\n',
  'README.md': 'A test.\n',
  '.gitignore': '__pycache__/\n',
};

/** A command proposer that runs one Python body each turn, whatever the request, and makes a good edit after the last. */
export async function proposer(...bodies: readonly string[]): Promise<{ command: string; folder: string }> {
  const folder = await temporaryFolder();
  const steps = bodies.map(
    (body, index) => `${index === 0 ? 'if' : 'elif'} turn == ${index}:\n${body.replace(/^/gm, '    ')}\n`,
  );
  const script = `import json, os, signal, subprocess, sys, time
here = ${JSON.stringify(folder)}
turn = int(open(here + '/turn').read())
open(here + '/turn', 'w').write(str(turn + 1))
request = json.load(sys.stdin)
open(here + '/request-%d.json' % turn, 'w').write(json.dumps(request))
def edit():
    open('train.sh', 'a').write('# line of turn %d\\n' % turn)
def answer(hypothesis='one more line', **more):
    print(json.dumps({'hypothesis': hypothesis, **more}), flush=True)
def sh(line):
    subprocess.run(['sh', '-ec', line], check=True)
${steps.join('')}else:
    edit()
    answer()
`;
  await writeFiles(folder, { 'propose.py': script, turn: '0' });
  return { command: `${QUICK_PYTHON} ${folder}/propose.py`, folder };
}

type Asked = { kind: string; experiment: number; repair: unknown; refused: { reason: string }[] };

/** The request that the command got in this turn. */
export async function asked(folder: string, turn: number): Promise<Asked> {
  return JSON.parse(await readFile(join(folder, `request-${turn}.json`), 'utf8')) as Asked;
}

/** A turn that breaks no rule. */
export const GOOD_TURN = 'edit()\nanswer()';
