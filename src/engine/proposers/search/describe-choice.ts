import type { Contract } from '../../../shared/contract/contract.ts';
import { firstOf } from '../../../shared/listed.ts';
import type { Proposal } from '../../../shared/study.ts';
import type { Choice } from './choice.ts';

/** A hypothesis names only this many constants; the diff shows all. */
const NAMED = 6;

/**
 * Describes a choice in words.
 * @param namesFile whether to name each constant's file
 */
export function describeChoice(
  choice: Choice,
  goal: Contract['metric']['goal'],
  namesFile: boolean,
): Proposal {
  const { moves, memo, expectedGain } = choice;
  const effect = expectedGain === null ? null : goal === 'minimize' ? -expectedGain : expectedGain;
  return {
    ...(memo.process ? wordsOfProcess(choice, effect, namesFile) : wordsOfLadder(choice, namesFile)),
    predictedEffect: effect,
    category: moves.length > 1 ? 'constants' : 'constant',
    memo,
  };
}

function wordsOfLadder({ moves, because }: Choice, namesFile: boolean) {
  const verbs = { up: 'raise', down: 'lower', other: 'set' } as const;
  const parts = moves.map(
    ({ name, direction, from, to, file }) =>
      `${verbs[direction]} ${name} from ${from} to ${to}${namesFile ? ` in ${file}` : ''}`,
  );
  const sentence = parts.join(' and ');
  return { hypothesis: (sentence[0] ?? '').toUpperCase() + sentence.slice(1), rationale: because };
}

function wordsOfProcess(
  { moves, because, expectedError }: Choice,
  effect: number | null,
  namesFile: boolean,
) {
  const { shown, left } = firstOf(moves, NAMED);
  const parts = shown.map(
    ({ name, from, to, file }) => `${name} ${from} → ${to}${namesFile ? ` in ${file}` : ''}`,
  );
  if (left > 0) parts.push(`${left} more`);
  const last = parts.pop() ?? '';
  const changes = parts.length > 0 ? `${parts.join(', ')} and ${last}` : last;
  const expected =
    effect === null || expectedError === null ? '' : `; expected ${spellEffect(effect, expectedError)}`;
  return {
    hypothesis: `${changes}: ${because}${expected}`,
    rationale:
      'Of three hundred small changes near the best values so far, this one has the largest expected improvement, by a Gaussian process fitted to what was tried.',
  };
}

/** A number with its error, rounded to the digits that the error supports. */
function spellEffect(effect: number, error: number): string {
  const digits = error > 0 ? Math.min(Math.max(-Math.floor(Math.log10(error)), 0), 12) : 6;
  const size = Math.abs(effect).toFixed(digits);
  const sign = Number(size) === 0 ? '' : effect > 0 ? '+' : '−';
  return `${sign}${size} ± ${error.toFixed(digits)}`;
}
