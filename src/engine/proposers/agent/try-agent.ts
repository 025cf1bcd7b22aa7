import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentTrial } from '../../../shared/proposers/proposer-calls.ts';
import { findSandbox } from '../../sandbox/find-sandbox.ts';
import { real } from '../../sandbox/home-view.ts';
import { makeScratch, removeScratch, trialMarker } from '../../scratch.ts';
import { runAgent } from './run-agent.ts';
import { findTrouble } from './trouble.ts';

/** The user is waiting for the result. */
const TIMEOUT_SECONDS = 180;
const TRAIN = 'LR = 0.1\nprint(LR)\n';
const PROMPT = [
  'This is a trial. You are in a folder with two files. Change LR in train.py from 0.1 to 0.2 by editing the file; nothing else.',
  'Then end with one line of JSON and nothing after it: {"hypothesis": "LR becomes 0.2"}',
].join('\n');

/**
 * Asks an agent for one harmless proposal in an empty folder, contained as in a study. Rejects with
 * `proposer_invalid` if Pawl knows no such agent, and with an AbortError when the signal is aborted.
 */
export async function tryAgent(
  { agent, model }: { readonly agent: string; readonly model: string | null },
  ports: {
    readonly environment: NodeJS.ProcessEnv;
    readonly home: string;
    readonly scratch: string;
    /** Whether the user agreed to run code from models without a sandbox. */
    readonly mayBeUncontained: boolean;
  },
  signal: AbortSignal,
): Promise<AgentTrial> {
  const { environment, home } = ports;
  const found = environment.PAWL_SANDBOX === 'off' ? null : await findSandbox(environment);
  const sandbox = found?.kind === 'bubblewrap' ? found : null;
  if (!sandbox && !ports.mayBeUncontained) {
    const why = found?.kind === 'none' ? found.why : 'The sandbox is switched off.';
    const message = `It was not tried: it would run without a sandbox, and you have not agreed to that. ${why}`;
    return { isGood: false, message, seconds: 0, isContained: false };
  }
  const folder = await real(await makeScratch(ports.scratch, 'trial'));
  try {
    const copy = join(folder, 'work');
    await mkdir(copy);
    await writeFile(join(copy, 'train.py'), TRAIN);
    await writeFile(join(copy, 'prepare.py'), 'SEED = 1\n');
    await chmod(join(copy, 'prepare.py'), 0o444);
    let began = performance.now();
    const ran = await runAgent(
      { kind: 'agent', agent, model, timeoutSeconds: TIMEOUT_SECONDS },
      { environment, home, sandbox, checkout: [], onThought: () => {} },
      {
        ...{ folder, copy, prompt: PROMPT, locked: ['prepare.py'] },
        isEditable: path => path === 'train.py',
        withheld: [],
        onStart: () => {
          began = performance.now();
        },
      },
      { marker: trialMarker(ports.scratch), signal },
    );
    const seconds = (performance.now() - began) / 1000;
    const notice = ran.kind === 'blocked' ? null : ran.notice;
    const tell = (isGood: boolean, message: string): AgentTrial => ({
      ...{ isGood, message: [message, notice].filter(Boolean).join(' ') },
      ...{ seconds, isContained: sandbox !== null },
    });
    if (ran.kind === 'blocked') return tell(false, ran.message);
    const trouble = findTrouble(ran.program, ran.answered, ran.isContained);
    if (trouble) return tell(false, trouble.answer.message);
    const now = await readFile(join(copy, 'train.py'), 'utf8');
    const isGood = now === TRAIN.replace('0.1', '0.2');
    const { title } = ran.program;
    const message = isGood
      ? `${title} made the edit.`
      : now === TRAIN
        ? `${title} answered, but changed nothing: ${ran.answered.output.text.slice(0, 300)}`
        : `${title} made a different edit from the one requested.`;
    return tell(isGood, message);
  } finally {
    await removeScratch(folder);
  }
}
