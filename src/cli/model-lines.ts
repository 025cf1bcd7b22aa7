import { readContract } from '../engine/contract/load-contract.ts';
import { openRepository, type Repository, readHeadCommit } from '../engine/git/repository.ts';
import { readSpendPlan, type SpendQuestion } from '../engine/proposers/model/read-spend-plan.ts';
import type { Engine } from '../engine/session/engine.ts';
import type { SittingSettings } from '../engine/session/start/sitting-settings.ts';
import type { ContractChoices } from '../shared/contract/findings.ts';
import type { StopRules } from '../shared/contract/stop-rules.ts';
import { describeRetirement } from '../shared/proposers/model-retirements.ts';
import { armsOf, modelArms, type ProposerSettings } from '../shared/proposers/proposers.ts';
import { describeSpendPlan, shareOf } from '../shared/proposers/spend-plan.ts';
import type { Study } from '../shared/study.ts';

type Asker = Pick<Engine, 'ledger' | 'surroundings'>;

/** Lines about a study's models before it begins: which will be retired, and what they will probably cost. */
export async function modelLines(
  asker: Asker,
  path: string,
  choices: ContractChoices,
  proposer: ProposerSettings,
  stop: StopRules,
): Promise<readonly string[]> {
  if (modelArms(proposer).length === 0) return [];
  const repository = await openRepository(path);
  const head = await readHeadCommit(repository);
  // The missing commit is reported when the study begins.
  if (head === null) return [];
  const { draft } = await readContract(repository, head, choices);
  return linesOf(asker, repository, proposer, {
    ...{ editable: draft.editable ?? [], instructions: draft.instructions },
    budgetSeconds: draft.budget.seconds,
    experiments: stop.experiments ?? draft.stop.experiments ?? null,
  });
}

/** The same before a study continues, for the rest of it. */
export async function modelLinesToGoOn(
  asker: Asker,
  path: string,
  { id, contract, ...study }: Study,
  settings: Pick<SittingSettings, 'proposer' | 'stop'>,
): Promise<readonly string[]> {
  const proposer = settings.proposer ?? study.proposer;
  if (modelArms(proposer).length === 0) return [];
  const repository = await openRepository(path).catch(() => openRepository(study.repositoryPath));
  const wanted = settings.stop?.experiments ?? study.stop.experiments;
  const done = asker.ledger.experiments.history(id).filter(({ n }) => n > 0).length;
  return linesOf(asker, repository, proposer, {
    ...{ editable: contract.editable, instructions: contract.instructions },
    budgetSeconds: contract.budget.seconds,
    experiments: wanted === undefined ? null : Math.max(0, wanted - done),
  });
}

/** @param told `experiments` counts those of all proposers; null if unknown */
async function linesOf(
  { ledger, surroundings }: Asker,
  repository: Repository,
  proposer: ProposerSettings,
  told: Omit<SpendQuestion, 'model'> & { readonly experiments: number | null },
): Promise<readonly string[]> {
  const isInTurns = proposer.kind === 'route' && proposer.mode === 'alternate';
  const experiments = shareOf(told.experiments, armsOf(proposer).length, isInTurns);
  const lines: string[] = [];
  for (const { model, baseUrl } of modelArms(proposer)) {
    const retirement = describeRetirement(model, baseUrl);
    if (retirement !== null) lines.push(retirement);
    // The baseline is not a proposal.
    if (experiments === 0) continue;
    const plan = await readSpendPlan(ledger, surroundings.home, repository, { ...told, model });
    lines.push(describeSpendPlan(plan, model, experiments));
  }
  return lines;
}
