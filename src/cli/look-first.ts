import { createInterface } from 'node:readline/promises';
import { YOURS } from '../engine/contract/choices.ts';
import { describeUnclear, readInTerminal } from '../engine/contract/load-contract.ts';
import { openRepository, readHeadCommit } from '../engine/git/repository.ts';
import { hasAgreedToSetUp, readSetUp, type SetUpText } from '../engine/stages/set-up/set-up-consent.ts';
import type { Ledger } from '../engine/store/ledger.ts';
import type { AskedName, ContractChoices, Recognition, Unclear } from '../shared/contract/findings.ts';
import { PawlError } from '../shared/errors.ts';
import { visibleLines } from '../shared/visible-lines.ts';
import { clip } from './format.ts';
import { findingsText } from './found.ts';

/** What the user decided after seeing the findings. */
export type Look = { readonly choices: ContractChoices; readonly agreesSetUp: string | undefined };

/** Questions to the user about what is unclear. */
const QUESTIONS: Readonly<Record<AskedName, string>> = {
  editable: 'Which files may be edited (paths or patterns, separated by commas)?',
  train: 'Which command trains?',
  metric: 'Which number counts, as it is printed?',
  goal: 'Is lower or higher better (minimize, maximize)?',
};

const SHOWN_COLUMNS = 4_000;

/** Whether a person is at the terminal who can be asked. */
function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Shows what a repository says about its contract and where, before anything runs. On a terminal, asks about what is
 * unclear, and whether the set-up command may run; elsewhere this rejects with `contract_unclear`, and the study
 * rejects with `setup_unagreed`.
 * @param show prints the findings; on stderr if stdout is for programs
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
  // The missing commit is reported when the study begins.
  if (!commit) return { choices: given, agreesSetUp: undefined };
  let choices = given;
  let found = await readInTerminal(repository, commit, choices);
  if (isWorthShowing(found)) show(`Found in ${repository.path}:\n${findingsText(found.findings)}`);
  while (found.unclear.length > 0) {
    if (!canAsk()) throw new PawlError('contract_unclear', describeUnclear(found.unclear));
    choices = { ...choices, ...(await askFor(found.unclear)) };
    found = await readInTerminal(repository, commit, choices);
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

/** A pawl.toml already says all of it, unless the user overrides something. */
function isWorthShowing({ draft, findings }: Recognition): boolean {
  return draft.source !== 'pawl.toml' || findings.some(({ source }) => source === YOURS);
}

/** The text the user agrees to, word for word; the margin separates it from Pawl's own text. */
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

/** One trimmed line of input; empty if there is none. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} `)).trim();
  } finally {
    lines.close();
  }
}
