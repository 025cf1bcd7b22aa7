import { RE2JS, RE2JSException } from 're2js';
import { PawlError } from '../../shared/errors.ts';
import { parseQuantity, type Quantity } from './number.ts';

/** Finds the number on a line; null where it is not there. */
export type Pattern = (line: string) => Quantity | null;

/**
 * Compiles `metric.pattern`: RE2's syntax with one group, which is the number. It is matched in linear time, because both the
 * pattern and the output are untrusted. Throws `contract_invalid`.
 */
export function compilePattern(source: string): Pattern {
  const expression = compile(source);
  if (expression.groupCount() !== 1) {
    throw new PawlError(
      'contract_invalid',
      `metric.pattern must have one group in parentheses, the number: "${source}" has ${expression.groupCount()}. A group that only keeps things together is written "(?:…)".`,
    );
  }
  return line => {
    const matcher = expression.matcher(line);
    if (!matcher.find()) return null;
    const text = matcher.group(1);
    return text === null ? null : parseQuantity(text);
  };
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new PawlError(
      'contract_invalid',
      `metric.pattern is no regular expression of RE2: ${cause.message}.`,
      {
        cause,
      },
    );
  }
}
