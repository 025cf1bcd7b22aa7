import { resolve } from 'node:path';
import { dataPaths } from '../../engine/paths.ts';
import type { Engine } from '../../engine/session/engine.ts';
import type { SittingSettings } from '../../engine/session/start/sitting-settings.ts';
import { isEngineRunning } from '../../engine/store/engine-lock.ts';
import type { StopRules } from '../../shared/contract/stop-rules.ts';
import { PawlError } from '../../shared/errors.ts';
import { counted } from '../../shared/numbers.ts';
import {
  type ArmSettings,
  armsOf,
  DEFAULT_STRATEGY,
  type ModelSettings,
  type ProposerSettings,
  type SearchSettings,
} from '../../shared/proposers/proposers.ts';
import type { OtherLines, Study } from '../../shared/study.ts';
import { parseDeadline } from '../deadline.ts';
import { EXIT } from '../exit-codes.ts';
import { findStudyToRun } from '../find-study-to-run.ts';
import { type ContractFlags, choicesOf } from '../found.ts';
import { JsonLines } from '../json-lines.ts';
import { LiveView } from '../live-view.ts';
import { lookFirst } from '../look-first.ts';
import { modelLines, modelLinesToGoOn } from '../model-lines.ts';
import { onStopSignals } from '../stop-signals.ts';
import { withEngine } from '../with-engine.ts';
import { withLedger } from '../with-study.ts';
import { ask } from './ask.ts';

export type SittingFlags = {
  readonly experiments?: number;
  readonly deadline?: string;
  readonly target?: number;
  readonly patience?: number;
  readonly maxCrashes?: number;
  readonly limit?: number;
  readonly gpu?: string;
  readonly lanes?: readonly string[];
  readonly otherLines?: OtherLines;
  readonly cluster?: 'slurm';
  readonly proposer?: ArmSettings['kind'];
  readonly seed?: number;
  readonly strategy?: NonNullable<SearchSettings['strategy']>;
  readonly command?: string;
  readonly proposerTimeout?: number;
  readonly patches?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly effort?: ModelSettings['effort'];
  readonly baseUrl?: string;
  readonly keyless?: boolean;
  readonly maxCost?: number;
  readonly fallback?: 'search' | 'none' | true;
  readonly alternate?: boolean;
  readonly auto?: boolean;
  readonly uncontained?: boolean;
  readonly json?: boolean;
};

/** The default of `--seed`. Any fixed number will do, so that two people see the same search. */
const DEFAULT_SEED = 1;
const DEFAULT_PROPOSER_TIMEOUT_SECONDS = 600;

export async function run(
  path: string,
  flags: SittingFlags &
    ContractFlags & {
      readonly tag?: string;
      readonly budget?: number;
      readonly prune?: boolean;
      readonly trustSetup?: boolean;
      /** Whether this is Pawl's own sample, which needs no explanation. */
      readonly isSample?: boolean;
    },
): Promise<void> {
  const proposer = readProposer(flags) ?? readSearch(flags, flags.isSample ? 'ladder' : DEFAULT_STRATEGY);
  const settings = readSettings(flags);
  await withEngine(resolve(path), async engine => {
    const show = (text: string) => {
      if (!flags.isSample) showBefore(text, flags);
    };
    const look = await lookFirst(engine.ledger, path, choicesOf(flags), flags.trustSetup === true, show);
    for (const line of await modelLines(engine, path, look.choices, proposer, settings.stop)) show(line);
    const study = await engine.createStudy({
      ...look,
      ...settings,
      repositoryPath: path,
      tag: flags.tag,
      proposer,
      budgetSeconds: flags.budget,
      prune: flags.prune,
      agreesUncontained: flags.uncontained,
    });
    process.exitCode = await sit(engine, study, {}, flags);
  });
}

/** The settings that `run` and `resume` read alike. */
function readSettings(flags: SittingFlags) {
  return {
    stop: readStopRules(flags),
    limitSeconds: flags.limit,
    gpu: flags.gpu,
    lanes: lanesOf(flags),
    otherLines: flags.otherLines,
    capUsd: flags.maxCost,
  };
}

/** `--cluster slurm` selects the cluster; alone it means as many lanes as the cluster's settings say. */
function lanesOf({ lanes, cluster }: SittingFlags): readonly string[] | undefined {
  if (!cluster) return lanes;
  return lanes ? lanes.map(word => (/^\d+$/.test(word) ? `${cluster}:${word}` : word)) : [cluster];
}

export async function resume(path: string, flags: SittingFlags & { readonly tag?: string }): Promise<void> {
  if (isEngineRunning(dataPaths(process.env))) return goOn(path, flags);
  const settings = { ...readSettings(flags), proposer: readProposer(flags), repositoryPath: path };
  await withEngine(resolve(path), async engine => {
    if (flags.uncontained) engine.agreeToUncontained();
    const study = await findStudyToRun(engine.ledger, path, flags.tag);
    if (study.asksApproval && flags.auto) engine.setApproval(study.id, false);
    else if (study.asksApproval) throw needsWindow(study);
    const { proposer } = settings;
    const going = proposer && !flags.strategy ? keepStrategy(proposer, study.proposer) : proposer;
    const own = { ...settings, proposer: going };
    for (const line of await modelLinesToGoOn(engine, path, study, own)) showBefore(line, flags);
    process.exitCode = await sit(engine, study, own, flags);
  });
}

/** Trains the baseline and the keeps again, so that the gains become more certain. Tries nothing new. */
export async function audit(
  path: string,
  flags: Pick<SittingFlags, 'json' | 'uncontained'> & { readonly tag?: string; readonly runs: number },
): Promise<void> {
  await withEngine(resolve(path), async engine => {
    if (flags.uncontained) engine.agreeToUncontained();
    const study = await findStudyToRun(engine.ledger, path, flags.tag);
    const minutes = Math.ceil((flags.runs * study.contract.budget.seconds) / 60);
    showBefore(
      `At most ${counted(flags.runs, 'run')}, about ${minutes} min; Ctrl-C stops it after the current run.`,
      flags,
    );
    process.exitCode = await sit(engine, study, { audit: flags.runs, repositoryPath: path }, flags);
  });
}

/** Prints a text before a sitting; on stderr if stdout is for programs. */
function showBefore(text: string, { json }: SittingFlags): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}

function needsWindow({ tag }: Study): PawlError {
  return new PawlError(
    'usage',
    `In ${tag} each proposal waits for your approval, which you give in the window: "pawl serve". With --auto they no longer wait.`,
  );
}

/** Tells the running engine to continue, if it is running this repository's study. */
async function goOn(path: string, flags: SittingFlags & { readonly tag?: string }): Promise<void> {
  const { tag, ...rest } = flags;
  if (Object.keys(rest).length > 0) {
    throw new PawlError(
      'usage',
      'An engine is already running; options are for a new sitting. "pawl resume" without options continues a paused one.',
    );
  }
  await withLedger(async ledger => {
    const current = ledger.studies.list().find(({ state }) => state === 'running' || state === 'paused');
    const wanted = await findStudyToRun(ledger, path, tag).catch(() => null);
    if (current && wanted && wanted.id !== current.id) {
      throw new PawlError(
        'engine_running',
        `An engine is running ${current.tag} in ${current.repositoryPath}; ${wanted.tag} can continue once that has stopped.`,
      );
    }
  });
  await ask({ kind: 'continue' });
}

/** Runs one sitting with its view and its signals; returns the exit code. */
async function sit(
  engine: Engine,
  study: Study,
  settings: SittingSettings,
  flags: SittingFlags,
): Promise<number> {
  const view = flags.json ? new JsonLines(process.stdout) : new LiveView(process.stdout);
  const signals = onStopSignals({
    stopAfter: () => {
      engine.request('stop');
      view.say('Stopping after this experiment. Press Ctrl-C again to stop now.');
    },
    stopNow: () => engine.request('stop_now'),
  });
  try {
    const end = await engine.run(study.id, settings, event => view.event(event));
    if (end.error) throw end.error;
    if (end.reason === 'baseline_failed') return EXIT.baselineFailed;
    if (end.reason === 'proposer') return EXIT.failed;
    return end.reason === 'user' ? EXIT.interrupted : EXIT.done;
  } finally {
    signals.dispose();
    view.end();
  }
}

function readStopRules(flags: SittingFlags): StopRules {
  const { experiments, target, patience, maxCrashes, deadline } = flags;
  return {
    ...(experiments === undefined ? {} : { experiments }),
    ...(target === undefined ? {} : { target }),
    ...(patience === undefined ? {} : { patience }),
    ...(maxCrashes === undefined ? {} : { crashes: maxCrashes }),
    ...(deadline === undefined ? {} : { deadline: parseDeadline(deadline, new Date()).toISOString() }),
  };
}

/** The proposer that the flags describe; undefined if they say nothing about it. */
function readProposer(flags: SittingFlags): ProposerSettings | undefined {
  const { command, patches, seed, strategy, model } = flags;
  const named = [
    ...(command === undefined ? [] : ['command' as const]),
    ...(patches === undefined ? [] : ['patches' as const]),
    ...(seed === undefined && strategy === undefined ? [] : ['search' as const]),
    // An agent chooses its own model.
    ...(flags.agent !== undefined ? ['agent' as const] : model === undefined ? [] : ['model' as const]),
  ];
  const odd = named.find(name => name !== (flags.proposer ?? named[0]));
  if (odd !== undefined) {
    throw new PawlError('usage', `The options name two proposers, ${flags.proposer ?? named[0]} and ${odd}.`);
  }
  const kind = flags.proposer ?? named[0];
  const own = kind === undefined ? undefined : readArm(kind, flags);
  const { fallback, alternate } = flags;
  const mode = alternate ? 'alternate' : fallback === true ? 'fallback' : 'stand_in';
  if ((fallback !== undefined || alternate) && (!own || own.kind === 'search')) {
    throw new PawlError(
      'usage',
      `--${alternate ? 'alternate' : 'fallback'} adds the search to another proposer; name that proposer too.`,
    );
  }
  // Waiting does not help a command or a folder of patches, so nothing needs to stand in for them.
  const isStoodInFor =
    own !== undefined && (mode !== 'stand_in' || own.kind === 'model' || own.kind === 'agent');
  if (!isStoodInFor || (fallback === 'none' && !alternate)) return own;
  return { kind: 'route', mode, arms: [own, readSearch({})] };
}

/** @param usual the strategy if the user names none; a study as short as the demo's gains more by the ladder */
function readSearch(
  { seed, strategy }: Pick<SittingFlags, 'seed' | 'strategy'>,
  usual: NonNullable<SearchSettings['strategy']> = DEFAULT_STRATEGY,
): SearchSettings {
  return { kind: 'search', seed: seed ?? DEFAULT_SEED, strategy: strategy ?? usual };
}

/** The requested proposer; if the study used the search before, it keeps the same strategy. */
function keepStrategy(asked: ProposerSettings, before: ProposerSettings): ProposerSettings {
  const known = armsOf(before).find(arm => arm.kind === 'search');
  if (!known) return asked;
  const keep = <A extends ArmSettings>(arm: A): A =>
    arm.kind === 'search' ? { ...arm, strategy: known.strategy } : arm;
  return asked.kind === 'route' ? { ...asked, arms: asked.arms.map(keep) } : keep(asked);
}

function readArm(kind: ArmSettings['kind'], flags: SittingFlags): ArmSettings {
  const { command, patches, model } = flags;
  if (kind === 'search') return readSearch(flags);
  if (kind === 'command') {
    if (!command) throw new PawlError('usage', '--proposer command needs --command "<what to run>".');
    return { kind, command, timeoutSeconds: flags.proposerTimeout ?? DEFAULT_PROPOSER_TIMEOUT_SECONDS };
  }
  if (kind === 'agent') {
    if (!flags.agent) throw new PawlError('usage', '--proposer agent needs --agent <name>.');
    return {
      ...{ kind, agent: flags.agent, model: model ?? null },
      timeoutSeconds: flags.proposerTimeout ?? DEFAULT_PROPOSER_TIMEOUT_SECONDS,
    };
  }
  if (kind === 'model') {
    if (!model) throw new PawlError('usage', '--proposer model needs --model <name>.');
    return {
      ...{ kind, model, effort: flags.effort ?? null, baseUrl: flags.baseUrl ?? null },
      key: flags.keyless ? 'none' : 'environment',
      capUsd: { study: flags.maxCost ?? null, sitting: null },
    };
  }
  if (!patches) throw new PawlError('usage', '--proposer patches needs --patches <folder>.');
  return { kind, folder: resolve(patches) };
}
