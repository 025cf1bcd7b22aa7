import type { Requirement } from '../../../shared/contract/contract.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import { inUnit, parseQuantity } from '../../metrics/number.ts';

/**
 * The first condition that does not hold; null if all hold. A value that was not printed fails its condition.
 * @param printed the text printed for a name
 */
export function findUnmet(
  requirements: readonly Requirement[],
  printed: (name: string) => string | null,
): GuardFailure | null {
  for (const { name, how, value } of requirements) {
    const found = printed(name);
    if (found !== null && holds(found, how, value)) continue;
    return { kind: 'require', name, wanted: `${how} ${value}`, found, tail: [] };
  }
  return null;
}

function holds(found: string, how: Requirement['how'], value: string): boolean {
  if (how === '=') return isSame(found, value);
  if (how === '!=') return !isSame(found, value);
  const [printed, wanted] = [parseQuantity(found), parseQuantity(value)];
  // If the condition names no unit, any is accepted.
  if (!printed || !wanted || (printed.unit !== null && wanted.unit === null)) return false;
  const number = wanted.unit === null ? printed.value : inUnit(printed, wanted.unit);
  const bound = wanted.value;
  if (number === null) return false;
  if (how === '<') return number < bound;
  if (how === '<=') return number <= bound;
  return how === '>' ? number > bound : number >= bound;
}

/**
 * `PASS`, `pass`, and `PASS (12 of 12)` are equal; so are `1` and `1.0`. `PASS with errors` and `PASS | FAIL` differ
 * from them.
 */
function isSame(found: string, value: string): boolean {
  const bare = found.replaceAll(/^["'`*]+|["'`*]+$/g, '').trim();
  if (bare.toLowerCase() === value.toLowerCase()) return true;
  const number = parseQuantity(bare);
  if (number?.unit === null && value.trim() !== '' && number.value === Number(value)) return true;
  const rest = bare.toLowerCase().startsWith(value.toLowerCase()) ? bare.slice(value.length) : '';
  return /^\s+[([✓✔]/.test(rest) || /^[,;.]\s*$/.test(rest);
}
