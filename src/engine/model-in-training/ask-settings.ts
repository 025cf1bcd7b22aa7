import { PawlError } from '../../shared/errors.ts';
import { type ModelSettings, modelArms } from '../../shared/proposers/proposers.ts';
import type { Study } from '../../shared/study.ts';
import { type ProposerSurroundings, readKey } from '../proposers/create-proposer.ts';
import { type Price, readPrice } from '../proposers/model/prices.ts';

/** The spending limit of a study if its user set none: its trainings ask by themselves, all night. */
export const DEFAULT_CAP_USD = 5;

/** How the questions of a study's trainings are answered. */
export type AskSettings = {
  readonly settings: ModelSettings;
  readonly price: Price | null;
};

/**
 * Null if the contract names no model. The contract comes from the repository, but the key belongs to the user: it
 * goes only to Anthropic, to the server of the study's own proposer and to the user's `ANTHROPIC_BASE_URL`; any other
 * server is asked without it. Rejects with `proposer_invalid` if there is no key for Anthropic, or no price to
 * compute the limit with.
 */
export async function askSettings(
  { contract, proposer, capUsd }: Pick<Study, 'contract' | 'proposer' | 'capUsd'>,
  surroundings: ProposerSurroundings,
): Promise<AskSettings | null> {
  const { model } = contract;
  if (model === null) return null;
  const models = modelArms(proposer);
  const own = models.find(({ baseUrl }) => isSame(baseUrl, model.baseUrl));
  const isKnown = own !== undefined || isUsersServer(model.baseUrl, surroundings.environment);
  const key = own?.key ?? (isKnown ? await findKey(surroundings) : 'none');
  if (key === null && model.baseUrl === null) {
    throw new PawlError(
      'proposer_invalid',
      `The contract lets the training ask ${model.name}, but there is no key for it: set ANTHROPIC_API_KEY where Pawl is started, ` +
        'or store one in the desktop app.',
    );
  }
  const study = capUsd ?? models.find(({ capUsd: { study } }) => study !== null)?.capUsd.study;
  const settings: ModelSettings = {
    ...{ kind: 'model', model: model.name, effort: null, baseUrl: model.baseUrl, key: key ?? 'none' },
    capUsd: {
      // A server that needs no key has no cost that Pawl could count.
      study: study ?? (key === null || key === 'none' ? null : DEFAULT_CAP_USD),
      sitting: own?.capUsd.sitting ?? null,
    },
  };
  await readKey(settings, surroundings);
  const price = await readPrice(surroundings.home, model.name);
  if (price === null && settings.key !== 'none') {
    throw new PawlError(
      'proposer_invalid',
      `The contract lets the training ask ${model.name}, but Pawl knows no price for it, so it cannot enforce a spend cap. Add one in ` +
        `${surroundings.home}/model-prices.json.`,
    );
  }
  return { settings, price };
}

/** Whether a server is Anthropic's, or the one in the user's own environment. */
export function isUsersServer(baseUrl: string | null, { ANTHROPIC_BASE_URL }: NodeJS.ProcessEnv): boolean {
  return baseUrl === null || (ANTHROPIC_BASE_URL !== undefined && isSame(ANTHROPIC_BASE_URL, baseUrl));
}

async function findKey({
  environment,
  storedKey,
}: ProposerSurroundings): Promise<ModelSettings['key'] | null> {
  if (environment.ANTHROPIC_API_KEY?.trim()) return 'environment';
  return (await storedKey?.()) ? 'stored' : null;
}

function isSame(a: string | null, b: string | null): boolean {
  return bare(a) === bare(b);
}

function bare(url: string | null): string | null {
  return url === null ? null : url.replace(/\/+$/, '');
}
