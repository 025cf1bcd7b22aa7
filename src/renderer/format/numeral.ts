const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const POWER = /^(\d+)\s*\*\*\s*(\d+)$/;

/** The number in a constant's text, including `1_000` and `2**19`; null if it is not a number. */
export function readNumeral(text: string): number | null {
  const power = POWER.exec(text);
  if (power) return Number(power[1]) ** Number(power[2]);
  return NUMBER.test(text) ? Number(text.replaceAll('_', '')) : null;
}
