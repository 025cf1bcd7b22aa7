const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const POWER = /^(\d+)\s*\*\*\s*(\d+)$/;

/** The number that a constant's text says, also of `1_000` and `2**19`; null for what is no number. */
export function readNumeral(text: string): number | null {
  const power = POWER.exec(text);
  if (power) return Number(power[1]) ** Number(power[2]);
  return NUMBER.test(text) ? Number(text.replaceAll('_', '')) : null;
}
