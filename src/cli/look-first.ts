import { createInterface } from 'node:readline/promises';
import { YOURS } from '../engine/contract/choices.ts';
import { describeUnclear, readContract } from '../engine/contract/load-contract.ts';
import { openRepository, readHeadCommit } from '../engine/git/repository.ts';
import { hasAgreedToSetUp, readSetUp, type SetUpText } from '../engine/stages/set-up/set-up-consent.ts';
import type { Ledger } from '../engine/store/ledger.ts';
import { PawlError } from '../shared/errors.ts';
import type { AskedName, ContractChoices, Recognition, Unclear } from '../shared/findings.ts';
import { visibleLines } from '../shared/visible-lines.ts';
import { clip } from './format.ts';
import { findingsText } from './found.ts';

/** What a study is begun with after its user has seen what was found. */
export type Look = { readonly choices: ContractChoices; readonly agreesSetUp: string | undefined };

/** How the user is asked for what is unclear. */
const QUESTIONS: Readonly<Record<AskedName, string>> = {
  editable: 'Which files may be edited (paths or patterns, separated by commas)?',
  train: 'Which command trains?',
  metric: 'Which number counts, as it is printed?',
  goal: 'Is lower or higher better (minimize, maximize)?',
};

const SHOWN_COLUMNS = 4_000;

/** A person at a terminal, who can be asked. */
function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Shows what a repository says of its contract and where, before anything runs. What is unclear, and whether the set-up
 * command may run, is asked at a terminal; elsewhere it rejects with `contract_unclear`, and the study with
 * `setup_unagreed`.
 * @param show prints what was found; on stderr where stdout is for programs
 */
export async function lookFirst(
  ledger: Ledger,
  path: string,
  given: ContractChoices,
  trustsSetUp: boolean,
  show: (text: string) => void,
): Promise<Look> {
  const repository = await openRepository(path);
  const commit = await readHeadCommit(repository);
  // Whoever begins the study says that there is no commit.
  if (!commit) return { choices: given, agreesSetUp: undefined };
  let choices = given;
  let found = await readContract(repository, commit, choices);
  if (isWorthShowing(found)) show(`Found in ${repository.path}:\n${findingsText(found.findings)}`);
  while (found.unclear.length > 0) {
    if (!canAsk()) throw new PawlError('contract_unclear', describeUnclear(found.unclear));
    choices = { ...choices, ...(await askFor(found.unclear)) };
    found = await readContract(repository, commit, choices);
  }
  const { setup } = found.draft;
  if (setup === null) return { choices, agreesSetUp: undefined };
  const setUp = await readSetUp(repository, commit, setup);
  if (hasAgreedToSetUp(ledger, setUp.digest)) return { choices, agreesSetUp: undefined };
  if (trustsSetUp) return { choices, agreesSetUp: setUp.digest };
  if (!canAsk()) return { choices, agreesSetUp: undefined };
  show(setUpText(setUp));
  const answer = await ask('Run it? (y/N)');
  return { choices, agreesSetUp: /^y(?:es)?$/i.test(answer) ? setUp.digest : undefined };
}

/** A pawl.toml says it itself, unless the user says something else. */
function isWorthShowing({ draft, findings }: Recognition): boolean {
  return draft.source !== 'pawl.toml' || findings.some(({ source }) => source === YOURS);
}

/** Everything that is agreed to, word for word; the margin separates its own text from ours. */
export function setUpText({ command, files }: SetUpText): string {
  const withMargin = (text: string) => visibleLines(text.replace(/\n$/, '')).map(line => `  | ${line}`);
  return [
    'Before the first run, this runs as you, outside the sandbox:',
    ...withMargin(command),
    ...files.flatMap(({ path, text, isCut }) => [
      `--- ${visibleLines(path).join('\\n')}${isCut ? ' (beginning only)' : ''}`,
      ...withMargin(text),
    ]),
  ].join('\n');
}

async function askFor(unclear: readonly Unclear[]): Promise<ContractChoices> {
  let choices: ContractChoices = {};
  for (const { name, why, candidates } of unclear) {
    const options = candidates.length > 0 ? ` [${candidates.join(' | ')}]` : '';
    const answer = await ask(
      `${clip(why, SHOWN_COLUMNS)}\n${QUESTIONS[name]}${clip(options, SHOWN_COLUMNS)}`,
    );
    if (answer === '') throw new PawlError('contract_unclear', describeUnclear(unclear));
    const words = answer.split(',').map(word => word.trim());
    choices = { ...choices, ...(name === 'editable' ? { editable: words } : { [name]: answer }) };
  }
  return choices;
}

/** One line of the user's, trimmed; empty where there is none. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} `)).trim();
  } finally {
    lines.close();
  }
}
