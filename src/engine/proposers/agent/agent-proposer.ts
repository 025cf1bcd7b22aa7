import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { CallOutcome } from '../../../shared/model-calls.ts';
import { type AgentSettings, proposerLabel } from '../../../shared/study.ts';
import { matchProposable } from '../../contract/editable.ts';
import { findProgram } from '../../contract/find-command.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type AgentJailInput, agentJail, bringBack, JAIL_TEMPORARY } from '../../sandbox/agent-jail.ts';
import { type Bubblewrap, containedBy, trySandbox } from '../../sandbox/find-sandbox.ts';
import { real } from '../../sandbox/home-view.ts';
import { giveTo } from '../../sandbox/unprivileged.ts';
import { makeScratch, removeScratch } from '../../scratch.ts';
import { readUserSettings } from '../../user-settings.ts';
import { answerSchema, proposedOf } from '../answer.ts';
import { describeRepair, describeReview, digest } from '../briefing/digest.ts';
import { systemText } from '../briefing/rules.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from '../proposer.ts';
import { writeFiles } from '../write-files.ts';
import { askAcp } from './ask-acp.ts';
import { askCommandLine } from './ask-command-line.ts';
import { compareCopy, makeCopy } from './copy.ts';
import { isSignedIn } from './detect.ts';
import type { Answered, Launch } from './launch.ts';
import { type AgentOutput, type AgentProgram, NO_USAGE } from './program.ts';
import { requireProgram } from './programs.ts';
import { findTrouble } from './trouble.ts';

/** An agent tells everything it reads; more than this it does not need. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

type Ports = {
  readonly ledger: Ledger;
  readonly studyId: string;
  readonly reader: StudyReader;
  readonly environment: NodeJS.ProcessEnv;
  /** See {@link makeScratch}. */
  readonly scratch: string;
  readonly now: () => number;
  /** The data folder. */
  readonly home: string;
  /** The user's checkout and its git folder. */
  readonly checkout: readonly string[];
  /** What it is contained with; null for nothing. */
  readonly sandbox: Bubblewrap | null;
  /** Told what it is at. */
  readonly onThought: (text: string) => void;
};

/**
 * An agent on the command line as proposer. It works on a copy of the repository's files, of which only the editable ones
 * can be written; what it changed of these is the proposal. Whatever it says, the copy decides.
 */
export function agentProposer(settings: AgentSettings, ports: Ports): Proposer {
  return {
    canRepair: true,
    canLookAhead: () => true,
    maxRefusals: 5,
    async propose(request, context) {
      let folder: string | null = null;
      try {
        // A mount needs the real name.
        folder = await real(await makeScratch(ports.scratch, 'agent'));
        return await work(settings, ports, request, context, folder);
      } catch (error) {
        // A full disk for temporary files, or what an agent left that nobody can read: another try may fare better.
        if (context.signal.aborted || error instanceof PawlError) throw error;
        return failed(`The agent's copy: ${(error as Error).message}`);
      } finally {
        if (folder !== null) await removeScratch(folder);
      }
    },
  };
}

async function work(
  settings: AgentSettings,
  ports: Ports,
  request: ProposalRequest,
  context: ProposerContext,
  folder: string,
): Promise<ProposerAnswer> {
  const { ledger, studyId, reader, environment, now } = ports;
  const program = requireProgram(settings.agent, await readUserSettings(ports.home));
  const { title } = program;
  const copy = join(folder, 'work');
  const own = join(folder, 'own');
  const temporary = join(folder, 'tmp');
  for (const path of [own, temporary]) await mkdir(path);
  for (const [name, text] of Object.entries(program.files)) await writeFile(join(own, name), text);
  const attempt = request.repair ? reader.experiment(request.n)?.attemptCommit : null;
  const commit = attempt ?? request.incumbent.commit;
  const tracked = await reader.listFiles(commit);
  const isEditable = matchProposable(request.contract);
  const before = await makeCopy(reader, commit, copy, isEditable);

  const prompt = promptFor(request, tracked.filter(isEditable));
  const asked = { model: settings.model, own, isContained: ports.sandbox !== null, prompt, environment };
  // Some go by PWD, not by where they are. A home below the folder for temporary files would keep Codex from running anything.
  const surroundings = {
    ...environment,
    ...program.environment(asked),
    ...{ PWD: copy, TMPDIR: temporary },
  };
  const locked = tracked.filter(path => before.has(path) && !isEditable(path));
  // Behind a sandbox it would be the sandbox that fails.
  if (ports.sandbox && !(await findProgram(program.program, environment.PATH ?? ''))) {
    const message = `${title} could not be started: there is no "${program.program}" on the PATH.`;
    return { kind: 'blocked', message };
  }
  if (program.signIn.isNeeded && !(await isSignedIn(program, environment))) {
    return {
      kind: 'blocked',
      message: `${title} has no sign-in and no server of yours. ${program.signIn.how}`,
    };
  }
  const box = await containment(ports, program, {
    ...{ copy, own, locked, standIns: join(folder, 'stand-ins'), environment: surroundings },
  });
  if (box.fault !== null) {
    const message = `${title} cannot be contained. ${box.fault} PAWL_SANDBOX=off runs it without a sandbox.`;
    return { kind: 'blocked', message };
  }

  const began = performance.now();
  const call = ledger.write(() =>
    ledger.modelCalls.begin(studyId, {
      n: request.n,
      at: now(),
      proposer: proposerLabel(settings),
      model: settings.model ?? settings.agent,
      reservedUsd: null,
    }),
  );
  const end = (outcome: CallOutcome, message: string | null, output: AgentOutput | null) =>
    ledger.write(() =>
      ledger.modelCalls.end(call, {
        outcome,
        message,
        requestId: null,
        tokens: output?.usage ?? NO_USAGE,
        costUsd: output?.costUsd ?? null,
        seconds: (performance.now() - began) / 1000,
      }),
    );
  const launch: Launch = {
    behind: box.argv,
    asked,
    prompt,
    process: {
      cwd: copy,
      environment: { ...surroundings, ...box.environment },
      timeoutSeconds: settings.timeoutSeconds,
      maxBytes: MAX_OUTPUT_BYTES,
      what: title,
    },
    isEditable,
    onThought: ports.onThought,
  };
  let answered: Answered;
  try {
    const { how } = program;
    answered =
      how.kind === 'acp'
        ? await askAcp(program, how, launch, context)
        : await askCommandLine(program, how, launch, context);
  } catch (error) {
    end('cancelled', null, null);
    throw error;
  } finally {
    await box.done();
  }
  const { output } = answered;
  const trouble = findTrouble(program, answered, box.argv.length > 0);
  end(trouble?.outcome ?? 'ok', trouble?.answer.message ?? null, output);
  if (trouble) return trouble.answer;

  const { files, faults } = await compareCopy(copy, before, isEditable);
  if (faults.length > 0) {
    return failed(`${title} changed what it may not: ${faults.slice(0, 5).join(', ')}.`);
  }
  if (files.size === 0) {
    return failed(`${title} changed nothing. ${firstLine(output.text)}`.trim());
  }
  const fault = await writeFiles(context.worktree.path, files, tracked);
  return fault === null ? proposed(output.text, settings) : failed(fault);
}

/** For who has no home. */
const NOBODYS_HOME = '/tmp/home';

type Containment = {
  /** What the agent is run behind; empty for no sandbox. */
  readonly argv: readonly string[];
  /** Why that does not work; null where it does. */
  readonly fault: string | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Call it when the agent has ended. */
  readonly done: () => Promise<void>;
};

async function containment(
  { sandbox, home: dataFolder, environment, checkout }: Ports,
  { folders, program }: AgentProgram,
  input: Omit<AgentJailInput, 'folders' | 'program' | 'dataFolder' | 'home' | 'checkout'>,
): Promise<Containment> {
  if (!sandbox) return { argv: [], fault: null, environment: {}, done: async () => {} };
  const own = await real(environment.HOME || homedir());
  // Nothing can stand in the place of everything.
  const home = own === '/' ? NOBODYS_HOME : own;
  const { jail, renewals } = await agentJail({
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
    environment: { HOME: home, TMPDIR: JAIL_TEMPORARY },
    done: () => bringBack(renewals),
  };
}

function promptFor(request: ProposalRequest, files: readonly string[]): string {
  return [
    systemText(request),
    digest(request),
    ...(request.repair ? [describeRepair(request.repair)] : []),
    ...(request.review ? [describeReview(request.review)] : []),
    '# What to do now',
    `You are in a copy of the repository. Edit the files in place; you can write only these: ${files.join(', ') || '(new files that match the patterns)'}. You cannot run anything, and no file can be removed.`,
    'Then end with one line of JSON and nothing after it: {"hypothesis": "one line", "rationale": "why it should work", "predicted_effect": -0.01, "category": "one word"}. Where it is one of the ideas that wait, add "idea": its number; good ideas for later go into "ideas": [{"hypothesis": "one line", "predicted_effect": -0.01}].',
  ].join('\n\n');
}

/** From the last JSON line it said; where it said prose, its first line has to do. */
function proposed(text: string, settings: AgentSettings): ProposerAnswer {
  const memo = { agent: settings.agent, model: settings.model };
  const lines = text.split('\n').map(line => line.trim().replace(/^`+(?:json)?|`+$/g, ''));
  const last = lines.findLastIndex(line => line.startsWith('{'));
  // On one line, or spread over the last ones.
  const json = last < 0 ? undefined : [lines[last] ?? '', lines.slice(last).join('\n')];
  const parsed = answerSchema.safeParse(json?.map(tryJson).find(value => value !== null) ?? null);
  const answer = parsed.success
    ? parsed.data
    : { hypothesis: firstLine(text) || 'An edit without a word', rationale: text.trim() || null };
  return proposedOf(answer, memo);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function firstLine(text: string): string {
  return (text.split('\n').find(line => line.trim() !== '') ?? '').trim().slice(0, 300).toWellFormed();
}

function failed(message: string): Extract<ProposerAnswer, { kind: 'failed' }> {
  return { kind: 'failed', message: message.slice(0, 1_000), memo: null };
}
