import { findProgram } from '../../src/engine/process/find-program.ts';
import {
  type Bubblewrap,
  CUDA_PROBE,
  containedBy,
  findSandbox,
} from '../../src/engine/sandbox/find-sandbox.ts';
import { EMPTY_JAIL } from '../../src/engine/sandbox/jail.ts';
import type { Context } from './context.ts';
import { output, saidBy } from './machine.ts';
import { type Row, rowsOf } from './row.ts';

const PROBE_MS = 30_000;

const { judged, skipped } = rowsOf('containment');

/** Whether bubblewrap works here, and whether the GPU answers behind it as it does without. */
export async function checkContainment({ machine, tell }: Context): Promise<readonly Row[]> {
  tell('containment: bubblewrap, and the driver behind it');
  const { environment } = machine;
  if (environment.PAWL_SANDBOX === 'off') return [skipped('bubblewrap', 'PAWL_SANDBOX is off')];
  const sandbox = await findSandbox(environment);
  if (sandbox.kind === 'none') return [withoutSandbox(sandbox.why)];
  const devices = sandbox.devices.join(' ') || 'no device';
  const isThere = judged('bubblewrap', `works, ${sandbox.program}, with ${devices}`, 'works', true);
  if (!machine.gpus.isThere) return [isThere, skipped('the driver behind it', machine.gpus.why)];
  const questions: readonly (readonly [string, string, readonly string[]])[] = [
    ['CUDA probe', 'python3', ['-c', CUDA_PROBE]],
    ['nvidia-smi -L', 'nvidia-smi', ['-L']],
  ];
  const rows: Row[] = [];
  for (const [what, name, args] of questions) {
    rows.push(await compare(what, name, args, sandbox, environment));
  }
  return [isThere, ...rows];
}

/** A GPU that answers only outside is Pawl's fault; a missing or forbidden bubblewrap is the machine's. */
function withoutSandbox(why: string): Row {
  return why.startsWith('The GPU answers outside')
    ? judged('bubblewrap', why, 'the GPU answers inside as outside', false)
    : skipped('bubblewrap', why);
}

async function compare(
  what: string,
  name: string,
  args: readonly string[],
  sandbox: Bubblewrap,
  environment: NodeJS.ProcessEnv,
): Promise<Row> {
  if (!(await findProgram(name, environment.PATH ?? ''))) return skipped(what, `${name} is not on the PATH`);
  const ask = (command: string, all: readonly string[]) =>
    output(command, all, environment, PROBE_MS).then(
      said => ({ isAnswer: true, said: said.trim() }),
      error => ({ isAnswer: false, said: saidBy(error) }),
    );
  const outside = await ask(name, args);
  if (!outside.isAnswer) return skipped(what, `no answer outside either: ${outside.said}`);
  const [program, ...jail] = containedBy(sandbox, { ...EMPTY_JAIL, devices: sandbox.devices });
  const inside = await ask(program, [...jail, name, ...args]);
  return judged(
    what,
    `inside: ${inside.said}`,
    `as outside: ${outside.said}`,
    inside.isAnswer && inside.said === outside.said,
  );
}
