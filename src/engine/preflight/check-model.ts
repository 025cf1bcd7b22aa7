import type { Contract } from '../../shared/contract/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { describeRetirement } from '../../shared/proposers/model-retirements.ts';
import { askSettings, DEFAULT_CAP_USD, isUsersServer } from '../model-in-training/ask-settings.ts';
import type { DataPaths } from '../paths.ts';
import type { ProposerSurroundings } from '../proposers/create-proposer.ts';
import { findForwarderPython, NO_FORWARDER, type Trial } from '../sandbox/contain.ts';
import type { Add } from './training-input.ts';

const KEYS = {
  environment: 'with the key in ANTHROPIC_API_KEY',
  stored: 'with the stored key',
  none: 'without a key',
} as const;

/** Whether the contract's model can be asked: its key, its price, the limit, and the way out of the sandbox. */
export async function checkModel(
  contract: Contract,
  { sandbox }: Trial,
  {
    paths,
    environment,
    storedKey,
  }: Pick<ProposerSurroundings, 'environment' | 'storedKey'> & { readonly paths: DataPaths },
  add: Add,
): Promise<void> {
  const { model } = contract;
  if (model === null) return;
  try {
    // As far as is known without the study's proposer.
    const ask = await askSettings(
      { contract, proposer: { kind: 'search', seed: 1 }, capUsd: null },
      { home: paths.home, environment, storedKey },
    );
    if (ask === null) return;
    if (
      sandbox &&
      !contract.sandbox.network &&
      (await findForwarderPython(environment.PATH ?? '')) === null
    ) {
      add('model', 'failed', NO_FORWARDER);
      return;
    }
    const { key, baseUrl } = ask.settings;
    const who = `the training may ask ${model.name} at ${baseUrl ?? "Anthropic's"}, ${KEYS[key]}`;
    const cap = `; for at most $${DEFAULT_CAP_USD} per study, unless --max-cost says otherwise`;
    const advice =
      '. Your key is not sent to a server that only the contract names: if the server is yours, set ANTHROPIC_BASE_URL to its address';
    const isKeyless = key === 'none' && !isUsersServer(baseUrl, environment);
    const retirement = describeRetirement(model.name, baseUrl);
    const outcome = isKeyless || retirement !== null ? 'warning' : 'ok';
    const said = `${who}${key === 'none' ? (isKeyless ? advice : '') : cap}.`;
    add('model', outcome, retirement === null ? said : `${said} ${retirement}`);
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    add('model', 'failed', error.message);
  }
}
