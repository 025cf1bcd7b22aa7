import { readContract } from '../engine/contract/load-contract.ts';
import { openRepository, readHeadCommit } from '../engine/git/repository.ts';
import { readSpendPlan } from '../engine/proposers/model/read-spend-plan.ts';
import type { Engine } from '../engine/session/engine.ts';
import type { StopRules } from '../shared/contract.ts';
import type { ContractChoices } from '../shared/findings.ts';
import { describeRetirement } from '../shared/model-retirements.ts';
import { describeSpendPlan, shareOf } from '../shared/spend-plan.ts';
import type { ProposerSettings } from '../shared/study.ts';

/** What is said of a study's models before it begins: which will be gone, and what they are likely to cost. */
export async function modelLines(
  { ledger, surroundings }: Pick<Engine, 'ledger' | 'surroundings'>,
  path: string,
  choices: ContractChoices,
  proposer: ProposerSettings,
  stop: StopRules,
): Promise<readonly string[]> {
  const arms = proposer.kind === 'route' ? proposer.arms : [proposer];
  const models = arms.filter(arm => arm.kind === 'model');
  if (models.length === 0) return [];
  const repository = await openRepository(path);
  const head = await readHeadCommit(repository);
  // Whoever begins the study says that there is no commit.
  if (head === null) return [];
  const { draft } = await readContract(repository, head, choices);
  const isInTurns = proposer.kind === 'route' && proposer.mode === 'alternate';
  const experiments = shareOf(stop.experiments ?? draft.stop.experiments ?? null, arms.length, isInTurns);
  const lines: string[] = [];
  for (const { model, baseUrl } of models) {
    const retirement = describeRetirement(model, baseUrl);
    if (retirement !== null) lines.push(retirement);
    // The baseline is nobody's proposal.
    if (experiments === 0) continue;
    const plan = await readSpendPlan(ledger, surroundings.home, repository, {
      ...{ model, editable: draft.editable ?? [], instructions: draft.instructions },
      budgetSeconds: draft.budget.seconds,
    });
    lines.push(describeSpendPlan(plan, model, experiments));
  }
  return lines;
}
