import { proposerLabel } from '../../../shared/proposers.ts';
import type { SpendPlan } from '../../../shared/spend-plan.ts';
import { matchEditable } from '../../contract/editable.ts';
import { blobBytes, listTree, type Repository, readHeadCommit } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import { INSTRUCTIONS_CHARACTERS, ROLE } from '../briefing/rules.ts';
import { readPrice } from './prices.ts';
import { SOURCE_CHARACTERS } from './prompt.ts';
import { LEAST_MEASURED, type Measured, planSpend } from './spend-plan.ts';
import { TOOLS } from './tools.ts';

/** Tools, rules and about what the contract's lines take. */
const FIXED_BYTES = JSON.stringify(TOOLS).length + ROLE.length + 1_000;
/** As many are looked at; the room for sources is full long before. */
const MOST_FILES = 100;
/** How long a server keeps what it has cached, from the last time that it was read. */
const CACHE_SECONDS = 300;

/** What a study will be, as far as a plan needs it. */
export type SpendQuestion = {
  readonly model: string;
  /** The contract's patterns. */
  readonly editable: readonly string[];
  /** Path of the instructions in the repository. */
  readonly instructions: string | null;
  readonly budgetSeconds: number | null;
};

/**
 * What experiments with a model are likely to cost, from the ledger or from the files of the last commit. Rejects with
 * `proposer_invalid` where the user's own table of prices is broken.
 */
export async function readSpendPlan(
  ledger: Ledger,
  home: string,
  repository: Repository,
  question: SpendQuestion,
): Promise<SpendPlan> {
  const price = await readPrice(home, question.model);
  // An agent with the same model has another label, and so have the questions of a training.
  const label = proposerLabel({
    ...{ kind: 'model', model: question.model, effort: null, baseUrl: null, key: 'none' },
    capUsd: { study: null, sitting: null },
  });
  const costs = price === null ? [] : ledger.modelCalls.costsOf(label);
  const here = measure(costs.filter(({ gitDir }) => gitDir === repository.gitDir));
  const elsewhere = measure(costs.filter(({ gitDir }) => gitDir !== repository.gitDir));
  const isMeasured = [here, elsewhere].some(({ costsUsd }) => costsUsd.length >= LEAST_MEASURED);
  return planSpend({
    ...{ price, here, elsewhere },
    promptBytes: price === null || isMeasured ? 0 : await countBytes(repository, question),
    isCacheWarm: question.budgetSeconds !== null && question.budgetSeconds < CACHE_SECONDS,
  });
}

function measure(costs: readonly { readonly usd: number }[]): Measured {
  return { costsUsd: costs.map(({ usd }) => usd).filter(usd => usd > 0), experiments: costs.length };
}

/** What stays in the prompt, as it is cut for it. */
async function countBytes(
  repository: Repository,
  { editable, instructions }: SpendQuestion,
): Promise<number> {
  const head = await readHeadCommit(repository);
  if (head === null) return FIXED_BYTES;
  const told = instructions === null ? 0 : ((await blobBytes(repository, head, instructions)) ?? 0);
  const isEditable = matchEditable(editable);
  const paths = (await listTree(repository, head)).map(({ path }) => path).filter(isEditable);
  let room = SOURCE_CHARACTERS;
  for (const path of paths.slice(0, MOST_FILES)) {
    const bytes = (await blobBytes(repository, head, path)) ?? 0;
    // A larger one is named only, and read with the tools.
    if (bytes <= room) room -= bytes;
  }
  return FIXED_BYTES + Math.min(told, INSTRUCTIONS_CHARACTERS) + SOURCE_CHARACTERS - room;
}
