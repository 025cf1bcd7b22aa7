import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import type { Contract } from '../../shared/contract/contract.ts';
import { contractToFile } from '../../shared/contract/contract-file.ts';
import { CONTRACT_FILE_NAME, matchEditable } from '../contract/editable.ts';
import { loadContract } from '../contract/load-contract.ts';
import { parsePawlToml } from '../contract/pawl-toml.ts';
import { type Repository, readBlob } from '../git/repository.ts';
import { findResource } from '../resources.ts';
import { checkPreparation } from './check-preparation.ts';
import { hardenTraining, WEIGHTS } from './harden-training.ts';
import { refuse } from './refuse.ts';

const TRAINING = 'train.py';
const PREPARATION = 'prepare.py';
const SCORER = 'score.py';
const METRIC = 'val_bpb';
/** The validation set is evaluated twice, by programs that have to start first. */
const SCORE_SECONDS = 900;

/** Ways to start more than one program. */
const SEVERAL =
  /&&|\|\||[;|&\n]|\b(?:torchrun|accelerate|deepspeed|mpirun|srun|torch\.distributed\.(?:run|launch))\b/;

/** The files of a commit that decide whether and how it can be hardened. */
export const ASKED_FILES: readonly string[] = [TRAINING, PREPARATION, CONTRACT_FILE_NAME];

export type HardenedFiles = {
  /** The texts of new and changed files, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
};

/**
 * The files that make a commit like karpathy/autoresearch's scored. Rejects with `contract_unclear` if it has another
 * shape, and like `loadContract`.
 * @param heldOut the shard to score with, as a path in `score.reads`; null for the training's own evaluation shard
 */
export async function hardenFiles(
  repository: Repository,
  commit: string,
  heldOut: string | null,
): Promise<HardenedFiles> {
  const [training, preparation, toml, scorer] = await Promise.all([
    readText(repository, commit, TRAINING),
    readText(repository, commit, PREPARATION),
    readText(repository, commit, CONTRACT_FILE_NAME),
    readText(repository, commit, SCORER),
  ]);
  if (training === null || preparation === null) {
    const missing = training === null ? TRAINING : PREPARATION;
    throw refuse(`The last commit is not like karpathy/autoresearch: it has no ${missing} at its root.`);
  }
  const contract = await loadContract(repository, commit);
  checkContract(contract);
  if (scorer !== null) throw refuse(`${SCORER} already exists and would be overwritten.`);
  checkPreparation(PREPARATION, preparation, heldOut !== null);
  const { text, rows } = hardenTraining(TRAINING, training);
  const files = new Map([
    [CONTRACT_FILE_NAME, withScore(contract, toml, heldOut)],
    [SCORER, await writeScorer(rows, heldOut)],
    [TRAINING, text],
  ]);
  const notes: string[] = [];
  if (heldOut !== null && !existsSync(heldOut.replace(/^~(?=\/)/, homedir())))
    notes.push(`${heldOut} does not exist yet; studies cannot start until it does.`);
  if (toml !== null && contract.audit.swaps.length > 0)
    notes.push('audit.swap in pawl.toml no longer applies: scored numbers are not tried on other data.');
  return { files, notes };
}

async function readText(repository: Repository, commit: string, path: string): Promise<string | null> {
  const blob = await readBlob(repository, commit, path);
  if (blob === null) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob);
  } catch {
    throw refuse(`${path} is not UTF-8.`);
  }
}

function checkContract({ score, metric, editable }: Contract): void {
  if (score) throw refuse('The contract already has a [score].');
  if (metric.name !== METRIC) throw refuse(`The metric is ${metric.name}, but ${SCORER} computes ${METRIC}.`);
  if (metric.goal !== 'minimize')
    throw refuse(`metric.goal is ${metric.goal}, but a lower ${METRIC} is better.`);
  const isEditable = matchEditable(editable);
  for (const path of [SCORER, PREPARATION])
    if (isEditable(path))
      throw refuse(`Experiments may change ${path} (contract.editable), but it has to be locked.`);
}

/** The text of pawl.toml with `[score]` at its end; if there was none, the whole contract. */
function withScore(contract: Contract, toml: string | null, heldOut: string | null): string {
  const several = SEVERAL.exec(contract.train)?.[0];
  if (several !== undefined)
    throw refuse(
      `contract.train is \`${contract.train}\`: with \`${several}\` in it, Pawl cannot turn it into a command that starts ${SCORER} once.`,
    );
  const program = /^(?<before>(?:.*\s)?)(?:\.\/)?train\.py\s*$/.exec(contract.train)?.groups?.before;
  if (program === undefined)
    throw refuse(`contract.train is \`${contract.train}\`, but it must end in ${TRAINING}.`);
  const score = {
    command: `${program}${SCORER}`,
    artifacts: [WEIGHTS],
    model: `${program}${TRAINING} --serve`,
    hasTwin: true,
    reads: heldOut === null ? [] : [heldOut],
    seconds: SCORE_SECONDS,
  };
  const { score: section } = contractToFile({ ...contract, score });
  const text =
    toml === null
      ? stringify(contractToFile({ ...contract, score }))
      : toml.trimEnd() + `\n\n${stringify({ score: section })}`.replaceAll('\n', endOf(toml));
  parsePawlToml(text, CONTRACT_FILE_NAME);
  return text;
}

/** The line ending that a text uses. */
function endOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** @param rows that the training evaluates at a time; null keeps the template's value */
async function writeScorer(rows: number | null, heldOut: string | null): Promise<string> {
  const folder = findResource('harden');
  if (folder === null) throw refuse('This copy of Pawl lacks the files to write the scorer from.');
  const template = await readFile(join(folder, SCORER), 'utf8');
  const constants = Object.entries({ ROWS: rows, HELD_OUT: heldOut }).filter(([, value]) => value !== null);
  // Text encoded as JSON is also valid Python.
  return constants.reduce(
    (text, [name, value]) =>
      text.replace(new RegExp(`^${name} = .*$`, 'm'), () => `${name} = ${JSON.stringify(value)}`),
    template,
  );
}
