import type { Contract } from '../../shared/contract/contract.ts';
import {
  type AskedName,
  type ContractChoices,
  contractOfDraft,
  type Finding,
  type Recognition,
  type Unclear,
} from '../../shared/contract/findings.ts';
import { PawlError } from '../../shared/errors.ts';
import { formatSeconds } from '../../shared/numbers.ts';
import { listTree, type Repository, readBlob } from '../git/repository.ts';
import { choose, draftOfChoices } from './choices.ts';
import { CONTRACT_FILE_NAME } from './editable.ts';
import { missingOfUpstream } from './find-shape.ts';
import { locateKey, parsePawlToml } from './pawl-toml.ts';
import { recognize } from './recognize.ts';

/** The terminal's options, by the question that each answers. */
export const OPTIONS: Readonly<Record<AskedName, string>> = {
  editable: '--editable <paths>',
  train: '--train <command>',
  metric: '--metric <name>',
  goal: '--goal minimize|maximize',
};

const WRITE_ONE =
  'Write a pawl.toml that names what may change, how to train and which number counts, and commit it.';
/** The other way in the terminal. */
export const NAME_THEM = `Or name them with ${Object.values(OPTIONS).join(', ')}.`;
const LIST = new Intl.ListFormat('en-GB');

/**
 * The contract of a commit: from its pawl.toml, else from its recognised shape, with the user's choices on top. Read
 * from the commit and not from the checkout, because that is what the study will run. Rejects with
 * `contract_invalid`, `contract_not_found`, or `contract_unclear` if the user has to answer something first.
 */
export async function loadContract(
  repository: Repository,
  commit: string,
  choices: ContractChoices = {},
): Promise<Contract> {
  const { draft, unclear } = await readInTerminal(repository, commit, choices);
  const contract = contractOfDraft(draft);
  if (contract) return contract;
  throw new PawlError('contract_unclear', describeUnclear(unclear));
}

/** What a commit says of its contract, and where. Rejects with `contract_invalid` or `contract_not_found`. */
export async function readContract(
  repository: Repository,
  commit: string,
  choices: ContractChoices = {},
): Promise<Recognition> {
  const toml = await readBlob(repository, commit, CONTRACT_FILE_NAME);
  if (toml) return choose(recognitionOfToml(decode(toml)), choices);
  const tree = await listTree(repository, commit);
  const recognized = await recognize(repository, commit, tree);
  if (recognized.kind === 'recognized') return choose(recognized.recognition, choices);
  const own = draftOfChoices(choices);
  if (own) return choose(own, choices);
  throw new PawlError(
    'contract_not_found',
    describeNone(recognized.folders, missingOfUpstream(tree.map(({ path }) => path))),
  );
}

/** Like `readContract`; if there is no contract, the message says how to give one in the terminal. */
export async function readInTerminal(...asked: Parameters<typeof readContract>): Promise<Recognition> {
  try {
    return await readContract(...asked);
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== 'contract_not_found') throw error;
    throw new PawlError(error.code, `${error.message} "pawl doctor" shows an example. ${NAME_THEM}`);
  }
}

/** Lists what the user has to answer first, and how. */
export function describeUnclear(unclear: readonly Unclear[]): string {
  const options = unclear.map(({ name }) => OPTIONS[name]).join(', ');
  return `${unclear.map(({ why }) => why).join(' ')} Nothing was started; give it with ${options}, or in a pawl.toml.`;
}

function describeNone(folders: readonly string[], missing: readonly string[]): string {
  if (folders.length > 0) {
    return (
      `The repository has no committed pawl.toml, and several of its folders match: ${folders.slice(0, 6).join(', ')}. ` +
      WRITE_ONE
    );
  }
  return (
    `The repository has no committed pawl.toml, and it is not shaped like autoresearch: ${LIST.format(missing)} ` +
    `${missing.length === 1 ? 'is' : 'are'} missing. ${WRITE_ONE}`
  );
}

function recognitionOfToml(text: string): Recognition {
  const contract = parsePawlToml(text, CONTRACT_FILE_NAME);
  const { metric, budget } = contract;
  const found = (name: Finding['name'], value: string, ...path: readonly string[]): Finding => {
    const line = locateKey(text, path);
    return {
      name,
      value,
      source: line === null ? 'not in pawl.toml: the default' : `${CONTRACT_FILE_NAME}:${line}`,
      ...(line === null ? { isDefault: true as const } : {}),
    };
  };
  return {
    draft: contract,
    findings: [
      found('editable', contract.editable.join(', '), 'contract', 'editable'),
      ...(contract.locked === null
        ? []
        : [found('locked', contract.locked.join(', '), 'contract', 'locked')]),
      found('train', contract.train, 'contract', 'train'),
      ...(contract.setup === null ? [] : [found('setup', contract.setup, 'contract', 'setup')]),
      found('metric', metric.name, 'metric', 'name'),
      locateKey(text, ['metric', 'goal']) === null
        ? { name: 'goal', value: metric.goal, source: `the name ${metric.name}` }
        : found('goal', metric.goal, 'metric', 'goal'),
      found('budget', formatSeconds(budget.seconds), 'budget', 'seconds'),
    ],
    unclear: [],
  };
}

/** TOML is UTF-8 by definition; a guess would change paths and commands. */
function decode(toml: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(toml);
  } catch (cause) {
    throw new PawlError(
      'contract_invalid',
      `${CONTRACT_FILE_NAME}:1: not valid TOML: the file is not UTF-8.`,
      { cause },
    );
  }
}
