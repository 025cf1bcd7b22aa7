import type { Summary } from '../../../shared/study.ts';

const MAX_CHARACTERS = 64 * 1024;

/**
 * Parses a scorer's output: one line of JSON, an object of finite numbers that includes the metric.
 * @returns the numbers, or a sentence that says what is wrong
 */
export function readScore(text: string, metric: string): Summary | string {
  const line = text.trim();
  if (line === '') return 'score.command succeeded, but wrote no score to the descriptor in PAWL_SCORE_FD.';
  if (line.length > MAX_CHARACTERS) return 'score.command wrote more than 64 KiB as its score.';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `score.command wrote a score that is not one line of JSON: ${line.slice(0, 80)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'score.command has to write a JSON object of numbers as its score.';
  const numbers = Object.entries(value);
  const odd = numbers.find(([, number]) => typeof number !== 'number' || !Number.isFinite(number));
  if (odd) return `score.command wrote a score in which ${odd[0]} is not a finite number.`;
  if (!numbers.some(([name]) => name === metric))
    return `score.command wrote a score without ${metric}; it names ${numbers.map(([name]) => name).join(', ') || 'nothing'}.`;
  return Object.fromEntries(numbers) as Summary;
}
