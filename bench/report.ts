/** One measured number and its reference. */
export type Line = {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The peer or floor measured in the same run, or a bound. */
  readonly reference: string;
  /** value / reference's value; null if there is only a bound. */
  readonly ratio: number | null;
  /** Whether the bound holds; null if there is none. */
  readonly isGood: boolean | null;
};

/** Prints lines as a Markdown table, ready for docs/log.md. */
export function printTable(title: string, lines: readonly Line[]): void {
  console.log(
    `\n### ${title}\n\n| what | value | against | ratio | bound |\n| --- | ---: | --- | ---: | --- |`,
  );
  for (const { what, value, unit, reference, ratio, isGood } of lines) {
    const bound = isGood === null ? '' : isGood ? 'holds' : '**missed**';
    console.log(
      `| ${what} | ${`${round(value)} ${unit}`.trim()} | ${reference} | ${ratio === null ? '' : round(ratio)} | ${bound} |`,
    );
  }
}

function round(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1000
    ? value.toFixed(0)
    : Math.abs(value) >= 10
      ? value.toFixed(1)
      : value.toFixed(2);
}

/** The ratio of two means over the same cases, with its standard error by the delta method. */
export function pairedRatio(
  values: readonly number[],
  floors: readonly number[],
): { readonly ratio: number; readonly error: number } {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const ratio = sum(values) / sum(floors);
  const squares = values.map((value, place) => (value - ratio * (floors[place] ?? Number.NaN)) ** 2);
  const cases = values.length;
  return { ratio, error: Math.sqrt((sum(squares) * cases) / (cases - 1)) / Math.abs(sum(floors)) };
}

/** NaN of none. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The p-quantile (0 to 1) of the values, by nearest rank. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}
