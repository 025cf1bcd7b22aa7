import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { containedBy, findSandbox } from '../src/engine/sandbox/find-sandbox.ts';
import { EMPTY_JAIL, foldersOf, MAX_SEALED } from '../src/engine/sandbox/jail.ts';
import { printTable, quantile } from './report.ts';

const run = promisify(execFile);
const ROUNDS = 100;

/** What it costs to start a command behind the sandbox, with it, without, and behind the least there is, in turn. */
export async function benchSandbox(): Promise<void> {
  const sandbox = await findSandbox(process.env);
  if (sandbox.kind === 'none') {
    console.log(`\n### Sandbox: not measured. ${sandbox.why}`);
    return;
  }
  const files = (await run('git', ['ls-files'])).stdout.split('\n').filter(Boolean).slice(0, MAX_SEALED);
  const cwd = process.cwd();
  const [program, ...args] = containedBy(sandbox, {
    ...EMPTY_JAIL,
    ...{ hidden: ['/home', '/root'], writable: [cwd], cwd },
    held: foldersOf(files).map(folder => `${cwd}/${folder}`),
    sealed: files.map(file => `${cwd}/${file}`),
    devices: sandbox.devices,
  });
  const floor = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--bind', cwd, cwd];
  const mounts = files.flatMap(file => ['--ro-bind', `${cwd}/${file}`, `${cwd}/${file}`]);
  const bare: number[] = [];
  const mounted: number[] = [];
  const contained: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await time('/bin/sh', ['-c', 'exit 0']));
    mounted.push(await time(sandbox.program, [...floor, ...mounts, '/bin/sh', '-c', 'exit 0']));
    contained.push(await time(program, [...args, '/bin/sh', '-c', 'exit 0']));
  }
  const [without, floorOf, withIt] = [quantile(bare, 0.5), quantile(mounted, 0.5), quantile(contained, 0.5)];
  printTable(`Sandbox: starting a command, median of ${ROUNDS}, ${files.length} locked files`, [
    {
      what: 'what the sandbox adds',
      value: withIt - without,
      unit: 'ms',
      reference: `the same command without: ${without.toFixed(1)} ms; at most 30 ms`,
      ratio: withIt / without,
      isGood: withIt - without <= 30,
    },
    {
      what: 'a start in the sandbox',
      value: withIt,
      unit: 'ms',
      reference: `bubblewrap with the same files mounted and nothing else: ${floorOf.toFixed(1)} ms`,
      ratio: withIt / floorOf,
      isGood: null,
    },
  ]);
}

async function time(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  await run(program, [...args]);
  return performance.now() - began;
}
