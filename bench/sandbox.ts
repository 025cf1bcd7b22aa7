import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Bubblewrap, containedBy, findSandbox } from '../src/engine/sandbox/find-sandbox.ts';
import { EMPTY_JAIL } from '../src/engine/sandbox/jail.ts';
import { heldFolders, planSeals, type Seals } from '../src/engine/sandbox/seals.ts';
import { printTable, quantile } from './report.ts';

const run = promisify(execFile);
const ROUNDS = 100;
const COMMAND = ['/bin/sh', '-c', 'exit 0'];

/** The cost of starting a command in the sandbox, compared alternately with no sandbox and with a minimal one. */
export async function benchSandbox(): Promise<void> {
  const sandbox = await findSandbox(process.env);
  if (sandbox.kind === 'none') {
    console.log(`\n### Sandbox: not measured. ${sandbox.why}`);
    return;
  }
  await bench(sandbox, { files: 50, folders: 10 });
  await bench(sandbox, { files: 500, folders: 20 });
}

/**
 * A repository of so many locked files, whose baseline did not write to its folders: before that was noticed, and
 * after.
 */
async function bench(
  sandbox: Bubblewrap,
  size: { readonly files: number; readonly folders: number },
): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    // If Pawl is root, the command runs as another user.
    await chmod(cwd, 0o755);
    const locked = Array.from({ length: size.files }, (_, at) => `lib${at % size.folders}/${at}.py`);
    for (const file of locked) {
      await mkdir(dirname(join(cwd, file)), { recursive: true });
      await writeFile(join(cwd, file), '');
    }
    const plan = (writtenFolders: readonly string[] | null) =>
      planSeals({ locked, unlocked: ['train.py'], writtenFolders, mayBeWritten: () => false });
    const [learning, known] = [plan(null), plan([])];
    const floor = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--bind', cwd, cwd];
    const mounts = learning.files.flatMap(file => ['--ro-bind', join(cwd, file), join(cwd, file)]);
    const commands = {
      bare: COMMAND,
      mounted: [sandbox.program, ...floor, ...mounts, ...COMMAND],
      learning: [...jailOf(sandbox, cwd, learning), ...COMMAND],
      known: [...jailOf(sandbox, cwd, known), ...COMMAND],
    };
    const times = { bare: [], mounted: [], learning: [], known: [] } as Record<
      keyof typeof commands,
      number[]
    >;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [what, command] of Object.entries(commands))
        times[what as keyof typeof commands].push(await time(command));
    }
    const median = (what: keyof typeof commands) => quantile(times[what], 0.5);
    const added = (what: keyof typeof commands) => median(what) - median('bare');
    const { files, folders } = size;
    printTable(
      `Sandbox: starting a command, median of ${ROUNDS}, ${files} locked files in ${folders} folders`,
      [
        {
          what: `what it adds to a run, ${known.folders.length} folders sealed`,
          value: added('known'),
          unit: 'ms',
          reference: `the same command without: ${median('bare').toFixed(1)} ms; at most 30 ms`,
          ratio: median('known') / median('bare'),
          isGood: added('known') <= 30,
        },
        {
          what: `what it adds to the baseline, ${learning.files.length} files sealed`,
          value: added('learning'),
          unit: 'ms',
          reference: `bubblewrap with the same files mounted and nothing else: ${added('mounted').toFixed(1)} ms`,
          ratio: added('learning') / added('mounted'),
          isGood: null,
        },
      ],
    );
  } finally {
    await rm(cwd, { recursive: true });
  }
}

function jailOf(sandbox: Bubblewrap, cwd: string, seals: Seals): readonly string[] {
  return containedBy(sandbox, {
    ...EMPTY_JAIL,
    ...{ hidden: ['/home', '/root'], writable: [cwd], cwd, devices: sandbox.devices },
    held: heldFolders(seals).map(folder => join(cwd, folder)),
    sealed: [...seals.folders, ...seals.files].map(path => join(cwd, path)),
  });
}

async function time([program = '', ...args]: readonly string[]): Promise<number> {
  const began = performance.now();
  await run(program, args);
  return performance.now() - began;
}
