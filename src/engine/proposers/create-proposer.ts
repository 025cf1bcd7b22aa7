import { stat } from 'node:fs/promises';
import { PawlError, unreachable } from '../../shared/errors.ts';
import type { ModelChoice } from '../../shared/proposers/model-calls.ts';
import {
  type ArmSettings,
  canRead,
  type ModelSettings,
  type ProposerSettings,
  proposerLabel,
} from '../../shared/proposers/proposers.ts';
import type { Study } from '../../shared/study.ts';
import type { Repository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import type { Bubblewrap } from '../sandbox/find-sandbox.ts';
import type { Ledger } from '../store/ledger.ts';
import { readUserSettings } from '../user-settings.ts';
import { agentProposer } from './agent/agent-proposer.ts';
import { requireProgram } from './agent/programs.ts';
import { StudyReader } from './briefing/study-reader.ts';
import { commandProposer } from './command.ts';
import { logged } from './logged.ts';
import type { CallTimes } from './model/caller.ts';
import { type Price, readPrice, readPrices } from './model/prices.ts';
import { patchesProposer } from './patches.ts';
import type { Proposer } from './proposer.ts';
import { queueFirst, readsIdeas } from './queue.ts';
import { type Rest, type Rested, routeProposer } from './route.ts';
import { searchProposer } from './search/search-proposer.ts';

const LIST_MS = 15_000;
/** At most one of this many lanes tries a combination; the others look for something new. */
const LANES_EACH_COMBINATION = 4;

/** What settings are checked against. */
export type ProposerSurroundings = {
  /** The data folder. */
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The key that the user stored in the desktop app; null if there is none, absent if the host has no store. */
  readonly storedKey?: (() => Promise<string | null>) | undefined;
};

export type ProposerPorts = ProposerSurroundings & {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly repository: Repository;
  /** How many experiments run at once. */
  readonly lanes: number;
  readonly now: () => number;
  /** The sandbox for agents; null for none. */
  readonly sandbox: Bubblewrap | null;
  /** Called with what the proposer is doing. */
  readonly onThought: (text: string) => void;
  readonly onRest: (rest: Rest) => void;
  readonly onRested: (rested: Rested) => void;
  /** Whether the user wants the sitting to pause or stop. */
  readonly hasWish: () => boolean;
  readonly callTimes?: CallTimes | undefined;
};

/** Rejects with `proposer_invalid` if the settings cannot work. */
export async function checkProposer(
  settings: ProposerSettings,
  surroundings: ProposerSurroundings,
): Promise<void> {
  if (settings.kind === 'route') {
    const labels = settings.arms.map(proposerLabel);
    const twice = labels.find((label, place) => labels.indexOf(label) !== place);
    if (twice !== undefined) {
      throw new PawlError('proposer_invalid', `${twice} is named twice; name each proposer once.`);
    }
    for (const arm of settings.arms) await checkProposer(arm, surroundings);
  }
  if (settings.kind === 'model') await readModel(settings, surroundings);
  if (settings.kind === 'agent') requireProgram(settings.agent, await readUserSettings(surroundings.home));
  if (settings.kind !== 'patches') return;
  const isFolder = await stat(settings.folder).then(
    found => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new PawlError('proposer_invalid', `There is no folder of patches at ${settings.folder}.`);
  }
}

/** Rejects with `proposer_invalid` if the study's settings cannot work. */
export async function createProposer(study: Study, ports: ProposerPorts): Promise<Proposer> {
  const { proposer: settings } = study;
  await checkProposer(settings, ports);
  const calls = { ledger: ports.ledger, studyId: study.id, now: ports.now };
  const arm = async (own: ArmSettings) => {
    const label = proposerLabel(own);
    const reads = canRead(own);
    const proposer = logged(label, await createArm(study, own, ports), !reads, calls);
    return { label, proposer: reads ? readsIdeas(label, proposer, calls) : proposer };
  };
  const mostCombined = Math.max(1, Math.floor(ports.lanes / LANES_EACH_COMBINATION));
  const queue = { ...calls, repository: ports.repository, scratch: ports.paths.scratch, mostCombined };
  if (settings.kind !== 'route') return queueFirst((await arm(settings)).proposer, queue);
  const arms = await Promise.all(settings.arms.map(arm));
  const { onThought, onRest, onRested } = ports;
  return queueFirst(routeProposer(settings.mode, arms, { ...calls, onThought, onRest, onRested }), queue);
}

async function createArm(study: Study, settings: ArmSettings, ports: ProposerPorts): Promise<Proposer> {
  switch (settings.kind) {
    case 'search':
      return searchProposer(settings);
    case 'command':
      return commandProposer(settings);
    case 'patches':
      return patchesProposer(settings.folder);
    case 'agent':
      return agentProposer(settings, {
        ...{ ledger: ports.ledger, studyId: study.id, now: ports.now },
        reader: new StudyReader(study, ports),
        environment: ports.environment,
        scratch: ports.paths.scratch,
        home: ports.paths.home,
        checkout: [ports.repository.path, ports.repository.gitDir],
        sandbox: ports.sandbox,
        onThought: ports.onThought,
      });
    case 'model': {
      const price = await readModel(settings, ports);
      const readOwnKey = () => readKey(settings, ports);
      const [{ Caller }, { modelProposer }] = await loadModel();
      return modelProposer(settings, {
        caller: new Caller(study, settings, price, {
          ...{ ...ports, readKey: readOwnKey },
          label: proposerLabel(settings),
          readPrices: () => readPrices(ports.paths.home),
        }),
        reader: new StudyReader(study, ports),
        onThought: ports.onThought,
      });
    }
    default:
      return unreachable(settings);
  }
}

/** Loaded only when needed: the library that calls models is a third of all code, and loading it delays every start. */
function loadModel() {
  return Promise.all([import('./model/caller.ts'), import('./model/model-proposer.ts')]);
}

/** The models that a server offers, newest first. Rejects with `proposer_invalid` if it cannot be asked. */
export async function listModels(
  settings: Pick<ModelSettings, 'baseUrl' | 'key'>,
  surroundings: ProposerSurroundings,
): Promise<readonly ModelChoice[]> {
  const key = await readKey(settings, surroundings);
  const [{ clientFor }, { failureOf }] = await Promise.all([
    import('./model/client-for.ts'),
    import('./model/failure-of.ts'),
  ]);
  try {
    const page = await clientFor(settings, key).models.list({ limit: 100 }, { timeout: LIST_MS });
    return page.data.map(({ id, display_name: name }) => ({ id, name: name || id }));
  } catch (error) {
    // Without its cause, which may contain the key.
    throw new PawlError(
      'proposer_invalid',
      failureOf(error, { isSilent: false, isCancelled: false, key }).message,
    );
  }
}

/** The price of a model, or null if unknown. Rejects with `proposer_invalid` if the model cannot be asked. */
export async function readModel(
  settings: ModelSettings,
  surroundings: ProposerSurroundings,
): Promise<Price | null> {
  const { home } = surroundings;
  const price = await readPrice(home, settings.model);
  const { study, sitting } = settings.capUsd;
  if (price === null && (study !== null || sitting !== null)) {
    throw new PawlError(
      'proposer_invalid',
      `Pawl knows no price for ${settings.model}, so it cannot enforce a spend cap. Add one in ${home}/model-prices.json, or ` +
        'leave the caps empty.',
    );
  }
  await readKey(settings, surroundings);
  return price;
}

/** Null if the server needs none. Rejects with `proposer_invalid` if it needs one and there is none. */
export async function readKey(
  settings: Pick<ModelSettings, 'key'>,
  { environment, storedKey }: ProposerSurroundings,
): Promise<string | null> {
  if (settings.key === 'none') return null;
  const found = settings.key === 'environment' ? environment.ANTHROPIC_API_KEY : await storedKey?.();
  const key = found?.trim();
  if (key && !/^[\x21-\x7e]+$/.test(key)) {
    throw new PawlError('proposer_invalid', 'The key contains invalid characters; copy it again.');
  }
  if (key) return key;
  throw new PawlError(
    'proposer_invalid',
    settings.key === 'environment'
      ? 'ANTHROPIC_API_KEY is not set where Pawl was started.'
      : 'There is no stored key; only the desktop app stores keys.',
  );
}
