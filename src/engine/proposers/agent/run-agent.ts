import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AgentSettings } from '../../../shared/proposers/proposers.ts';
import { findProgram } from '../../process/find-program.ts';
import { type AgentJailInput, agentJail, bringBack, JAIL_TEMPORARY } from '../../sandbox/agent-jail.ts';
import { type Bubblewrap, containedBy, trySandbox } from '../../sandbox/find-sandbox.ts';
import { real } from '../../sandbox/home-view.ts';
import { describeLeftOut } from '../../sandbox/settings-copy.ts';
import { giveTo } from '../../sandbox/unprivileged.ts';
import { readUserSettings } from '../../user-settings.ts';
import type { ProposerContext } from '../proposer.ts';
import { askCommandLine } from './ask-command-line.ts';
import { isSignedIn } from './detect.ts';
import type { Answered, Launch } from './launch.ts';
import type { AgentProgram } from './program.ts';
import { requireProgram } from './programs.ts';

/** An agent prints everything it reads, and does not need more than this. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type AgentPorts = {
  readonly environment: NodeJS.ProcessEnv;
  /** The data folder. */
  readonly home: string;
  /** The user's checkout and its git folder. */
  readonly checkout: readonly string[];
  /** The sandbox that contains it; null for none. */
  readonly sandbox: Bubblewrap | null;
  /** Called with what it is doing. */
  readonly onThought: (text: string) => void;
};

export type AgentTask = {
  /** A separate empty folder, by its path without links, because a mount needs that. */
  readonly folder: string;
  /** The folder it works in. */
  readonly copy: string;
  readonly prompt: string;
  /** Files in the copy that it may not change. */
  readonly locked: readonly string[];
  /** Files that only the contract's scorer may see. */
  readonly withheld: readonly string[];
  readonly isEditable: (path: string) => boolean;
  /** Called just before the program is started. */
  readonly onStart: () => void;
};

export type AgentRun =
  | { readonly kind: 'blocked'; readonly message: string }
  | {
      readonly kind: 'answered';
      readonly program: AgentProgram;
      readonly answered: Answered;
      readonly isContained: boolean;
      /** One line about settings that it was not given; null if it got all of them. */
      readonly notice: string | null;
    };

/**
 * Runs an agent on a task, in its jail if there is one. `blocked` says why it cannot start. Rejects with an
 * AbortError when the signal is aborted, and with `proposer_invalid` if Pawl knows no such agent.
 */
export async function runAgent(
  settings: AgentSettings,
  ports: AgentPorts,
  task: AgentTask,
  context: Pick<ProposerContext, 'marker' | 'signal'>,
): Promise<AgentRun> {
  const { environment, sandbox, home, onThought } = ports;
  const { folder, copy, prompt, locked, withheld, isEditable } = task;
  const program = requireProgram(settings.agent, await readUserSettings(home));
  const { title, how } = program;
  const blocked = (message: string): AgentRun => ({ kind: 'blocked', message });
  const own = join(folder, 'own');
  const temporary = join(folder, 'tmp');
  for (const path of [own, temporary]) await mkdir(path);
  for (const [name, text] of Object.entries(program.files)) await writeFile(join(own, name), text);
  const asked = { model: settings.model, own, isContained: sandbox !== null, prompt, environment };
  const surroundings = {
    ...environment,
    ...program.environment(asked),
    // Some agents use PWD instead of their real working folder. Codex would run nothing if its home were inside the
    // folder for temporary files.
    ...{ PWD: copy, TMPDIR: temporary },
  };
  // In a sandbox, the error would come from the sandbox instead.
  if (sandbox && !(await findProgram(program.program, environment.PATH ?? ''))) {
    return blocked(`${title} could not be started: there is no "${program.program}" on the PATH.`);
  }
  if (program.signIn.isNeeded && !(await isSignedIn(program, environment))) {
    return blocked(`${title} has neither a sign-in nor a server of your own. ${program.signIn.how}`);
  }
  const box = await containment(ports, program, {
    ...{ copy, own, locked, withheld, standIns: join(folder, 'stand-ins'), environment: surroundings },
  });
  if (box.fault !== null) {
    return blocked(`${title} cannot be contained. ${box.fault} PAWL_SANDBOX=off runs it without a sandbox.`);
  }
  if (box.notice !== null) onThought(box.notice);
  task.onStart();
  const launch: Launch = {
    ...{ behind: box.argv, asked, prompt, isEditable, onThought },
    process: {
      cwd: copy,
      environment: { ...surroundings, ...box.environment },
      timeoutSeconds: settings.timeoutSeconds,
      maxBytes: MAX_OUTPUT_BYTES,
      what: title,
    },
  };
  try {
    const answered =
      how.kind === 'acp'
        ? // Loaded only when needed, because few agents use it and loading delays every start.
          await (await import('./ask-acp.ts')).askAcp(program, how, launch, context)
        : await askCommandLine(program, how, launch, context);
    return { kind: 'answered', program, answered, isContained: sandbox !== null, notice: box.notice };
  } finally {
    await box.done();
  }
}

/** For users without a home folder. */
const NOBODYS_HOME = '/tmp/home';

type Containment = {
  /** The command that contains the agent; empty without a sandbox. */
  readonly argv: readonly string[];
  /** Why containing it fails; null if it works. */
  readonly fault: string | null;
  readonly notice: string | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Call it once the agent has ended. */
  readonly done: () => Promise<void>;
};

async function containment(
  { sandbox, home: dataFolder, environment, checkout }: AgentPorts,
  { title, folders, program }: AgentProgram,
  input: Omit<AgentJailInput, 'folders' | 'program' | 'dataFolder' | 'home' | 'checkout'>,
): Promise<Containment> {
  if (!sandbox) return { argv: [], fault: null, notice: null, environment: {}, done: async () => {} };
  const own = await real(environment.HOME || homedir());
  // A jail cannot mount a copy over `/`.
  const home = own === '/' ? NOBODYS_HOME : own;
  const { jail, renewals, leftOut } = await agentJail({
    ...{ ...input, folders, program, dataFolder, checkout, home },
  });
  const argv = containedBy(sandbox, jail);
  if (sandbox.identity) {
    for (const path of [input.copy, input.own, input.standIns])
      await giveTo(sandbox.identity, path, new Set());
  }
  return {
    argv,
    fault: await trySandbox(argv, input.environment),
    notice: describeLeftOut(title, leftOut),
    environment: { HOME: home, TMPDIR: JAIL_TEMPORARY },
    done: () => bringBack(renewals),
  };
}
