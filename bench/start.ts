import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Line, printTable, quantile } from './report.ts';

const LAUNCHER = fileURLToPath(new URL('../scripts/pawl.mjs', import.meta.url));
const ROUNDS = 31;
/** How often `node -e 0` may fit into a start. */
const BOUNDS = { version: 2, status: 3 } as const;

const TRAINER = 'LR=0.1\necho "loss: $LR"\n';
const CONTRACT = `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "loss"
goal = "minimize"
`;
/** Writes the process's peak memory just before it exits. */
const MEMORY_PROBE = `process.on('exit', () => require('node:fs').writeSync(2, \`\\nrss \${process.resourceUsage().maxRSS}\\n\`));`;

const run = promisify(execFile);

/** How long a terminal command takes before its own work begins, beyond Node's own start. */
export async function benchStart(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-start-'));
  try {
    const environment = { ...process.env, PAWL_HOME: join(folder, 'home'), PAWL_SANDBOX: 'off' };
    const repository = await prepareStudy(folder, environment);
    const probe = join(folder, 'probe.cjs');
    await writeFile(probe, MEMORY_PROBE);
    const cases = {
      node: ['-e', '0'],
      version: [LAUNCHER, '--version'],
      help: [LAUNCHER, '--help'],
      status: [LAUNCHER, 'status', repository],
    } satisfies Readonly<Record<string, readonly string[]>>;
    type Case = keyof typeof cases;
    const names = Object.keys(cases) as Case[];
    const milliseconds = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<
      Case,
      number[]
    >;
    // Alternately, so that other load on the machine affects all of them.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const name of names) milliseconds[name].push(time(cases[name], environment));
    }
    const floor = quantile(milliseconds.node, 0.5);
    const lines = names.map((name): Line => {
      const value = quantile(milliseconds[name], 0.5);
      const bound = name in BOUNDS ? BOUNDS[name as keyof typeof BOUNDS] : null;
      const ratio = value / floor;
      const what = name === 'node' ? 'node -e 0' : `pawl ${cases[name].slice(1, 2).join('')}`;
      return {
        ...{
          what: `${what}, ${memoryOf(cases[name], probe, environment).toFixed(0)} MB`,
          value,
          unit: 'ms',
          ratio,
        },
        reference: bound === null ? 'node -e 0' : `node -e 0, at most ${bound} times`,
        isGood: bound === null ? null : ratio <= bound,
      };
    });
    printTable(`Start of the terminal host, median of ${ROUNDS}`, lines);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A repository with a small study, run by the measured command, which also builds the study and fills its caches. */
async function prepareStudy(folder: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const repository = join(folder, 'repository');
  await run('git', ['init', '--quiet', repository]);
  await writeFile(join(repository, 'train.sh'), TRAINER);
  await writeFile(join(repository, 'pawl.toml'), CONTRACT);
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost'];
  await run('git', ['-C', repository, 'add', '--all']);
  await run('git', ['-C', repository, ...identity, 'commit', '--quiet', '--message=Begin']);
  await run(process.execPath, [LAUNCHER, 'run', repository, '-n', '3', '--json'], { env: environment });
  return repository;
}

function time(args: readonly string[], environment: NodeJS.ProcessEnv): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

/** The peak memory of a process in megabytes. */
function memoryOf(args: readonly string[], probe: string, environment: NodeJS.ProcessEnv): number {
  const { stderr } = spawnSync(process.execPath, ['--require', probe, ...args], {
    ...{ env: environment, encoding: 'utf8' },
  });
  return Number(/rss (\d+)/.exec(stderr)?.[1]) / 1024;
}
