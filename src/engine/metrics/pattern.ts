import { RE2JS, RE2JSException } from 're2js';
import { PawlError } from '../../shared/errors.ts';
import { parseQuantity, type Quantity } from './number.ts';

/** Finds the number on a line; undefined if the line does not match, null if it matches without a number. */
export type Pattern = (line: string) => Quantity | null | undefined;

/** A larger program takes seconds for a line of 64 KiB, and the engine has to wait for it. */
const MAX_PROGRAM = 300;

/**
 * Compiles `metric.pattern`: RE2's syntax with one group, which is the number. It is matched in linear time, because both the
 * pattern and the output are untrusted. Throws `contract_invalid`.
 */
export function compilePattern(source: string): Pattern {
  const expression = compile(source);
  if (expression.groupCount() !== 1) {
    throw new PawlError(
      'contract_invalid',
      `metric.pattern must have one group in parentheses, the number: "${source}" has ${expression.groupCount()}. Write a group that is not the number as "(?:…)".`,
    );
  }
  if (expression.programSize() > MAX_PROGRAM) {
    throw new PawlError(
      'contract_invalid',
      `metric.pattern is too large: with repetitions unrolled it has ${expression.programSize()} steps; at most ${MAX_PROGRAM} are allowed.`,
    );
  }
  return line => {
    const matcher = expression.matcher(line);
    if (!matcher.find()) return undefined;
    return parseQuantity(matcher.group(1) ?? '');
  };
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new PawlError(
      'contract_invalid',
      `metric.pattern is not a regular expression in RE2's syntax: ${cause.message}.`,
      {
        cause,
      },
    );
  }
}
