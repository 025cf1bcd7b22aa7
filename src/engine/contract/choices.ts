import type { z } from 'zod';
import { contractFileSchema } from '../../shared/contract/contract-schema.ts';
import type {
  AskedName,
  ContractChoices,
  Draft,
  Finding,
  FindingName,
  Recognition,
} from '../../shared/contract/findings.ts';
import { directionOf } from '../../shared/contract/metric-direction.ts';
import { PawlError } from '../../shared/errors.ts';
import { autoresearchContract } from './autoresearch.ts';

/** The source of a finding that the user chose. */
export const YOURS = 'your choice';

const { contract, metric } = contractFileSchema.shape;
/** The form of each choice; the same rules as in pawl.toml. */
const SCHEMAS: Readonly<Record<keyof ContractChoices, z.ZodType>> = {
  editable: contract.shape.editable,
  locked: contract.shape.locked,
  train: contract.shape.train,
  metric: metric.shape.name,
  goal: metric.shape.goal,
};

/** Replaces findings with the user's choices. Rejects with `usage` a choice that no pawl.toml could express. */
export function choose(recognition: Recognition, choices: ContractChoices): Recognition {
  check(choices);
  const { draft } = recognition;
  const name = choices.metric ?? draft.metric.name;
  // Claims about another number do not apply to this one.
  const isOther = choices.metric !== undefined && choices.metric !== draft.metric.name;
  const told = isOther ? directionOf(choices.metric ?? '') : draft.metric.goal;
  const goal = choices.goal ?? told;
  const chosen: Draft = {
    ...draft,
    editable: choices.editable ?? draft.editable,
    locked: choices.locked ?? draft.locked,
    train: choices.train ?? draft.train,
    metric: { ...draft.metric, name, goal },
  };
  const said: readonly (readonly [FindingName, string | undefined])[] = [
    ['editable', choices.editable?.join(', ')],
    ['locked', choices.locked?.join(', ')],
    ['train', choices.train],
    ['metric', choices.metric],
    ['goal', choices.goal],
  ];
  const yours: readonly Finding[] = said.flatMap(([field, value]) =>
    value === undefined ? [] : [{ name: field, value, source: YOURS }],
  );
  const byName: readonly Finding[] =
    isOther && choices.goal === undefined && told !== null
      ? [{ name: 'goal', value: told, source: `the name ${choices.metric}` }]
      : [];
  const isReplaced = (field: FindingName) =>
    [...yours, ...byName].some(finding => finding.name === field) || (field === 'goal' && isOther);
  const isAsked: Readonly<Record<AskedName, boolean>> = {
    editable: chosen.editable === null,
    train: chosen.train === null,
    metric: name === null,
    goal: goal === null,
  };
  const unclear = recognition.unclear.filter(question => isAsked[question.name]);
  const isNew = goal === null && !unclear.some(question => question.name === 'goal');
  return {
    draft: chosen,
    findings: [...yours, ...byName, ...recognition.findings.filter(finding => !isReplaced(finding.name))],
    unclear: isNew
      ? [
          ...unclear,
          { name: 'goal', why: `Nothing says whether a lower or higher ${name} is better.`, candidates: [] },
        ]
      : unclear,
  };
}

/** A repository of no known shape, as the user describes it; null if the user describes nothing. */
export function draftOfChoices(choices: ContractChoices): Recognition | null {
  const { editable, train, metric } = choices;
  if (editable === undefined || train === undefined || metric === undefined) return null;
  const base = autoresearchContract('', false);
  return {
    draft: {
      ...{ ...base, source: 'form', instructions: null },
      ...{ editable: null, train: null },
      metric: { ...base.metric, name: null, goal: null, memory: null },
      sandbox: { ...base.sandbox, reads: [] },
    },
    findings: [],
    unclear: [],
  };
}

function check(choices: ContractChoices): void {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const value = choices[name as keyof ContractChoices];
    const problem = value === undefined ? null : schema.safeParse(value).error?.issues[0];
    if (problem)
      throw new PawlError('usage', `--${name} ${JSON.stringify(value).slice(0, 200)}: ${problem.message}.`);
  }
}
