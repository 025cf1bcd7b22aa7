import { proposerLabel } from '../../../shared/proposers/proposers.ts';
import type { SpendPlan } from '../../../shared/proposers/spend-plan.ts';
import { matchEditable } from '../../contract/editable.ts';
import { blobBytes, listTree, type Repository, readHeadCommit } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import { INSTRUCTIONS_CHARACTERS, ROLE } from '../briefing/rules.ts';
import { readPrice } from './prices.ts';
import { SOURCE_CHARACTERS } from './prompt.ts';
import { LEAST_MEASURED, type Measured, planSpend } from './spend-plan.ts';
import { TOOLS } from './tools.ts';

/** Tools, rules and roughly the contract's lines. */
const FIXED_BYTES = JSON.stringify(TOOLS).length + ROLE.length + 1_000;
/** Only this many files are examined; the room for sources is full long before. */
const MOST_FILES = 100;
/** How long a server keeps its cache after each use. */
const CACHE_SECONDS = 300;

/** The parts of a study's settings that a plan needs. */
export type SpendQuestion = {
  readonly model: string;
  /** The contract's patterns. */
  readonly editable: readonly string[];
  /** Path of the instructions in the repository. */
  readonly instructions: string | null;
  readonly budgetSeconds: number | null;
};

/**
 * What experiments with a model will probably cost, from the ledger or from the files of the last commit. Rejects
 * with `proposer_invalid` if the user's own price table is broken.
 */
export async function readSpendPlan(
  ledger: Ledger,
  home: string,
  repository: Repository,
  question: SpendQuestion,
): Promise<SpendPlan> {
  const price = await readPrice(home, question.model);
  // An agent with the same model has another label, and so do questions of a training.
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

/** The size of the constant part of the prompt, after cutting. */
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
    // A larger file is only named; the tools can read it.
    if (bytes <= room) room -= bytes;
  }
  return FIXED_BYTES + Math.min(told, INSTRUCTIONS_CHARACTERS) + SOURCE_CHARACTERS - room;
}
