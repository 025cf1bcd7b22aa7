/** One result: a line of the table. */
export type Row = {
  readonly check: CheckName;
  readonly what: string;
  readonly measured: string;
  readonly expected: string;
  readonly result: 'ok' | 'failed' | 'skipped';
};

/** The checks, in the order they are made. */
export const CHECK_NAMES = ['telemetry', 'containment', 'study', 'sharing'] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export type RowMaker = ReturnType<typeof rowsOf>;

/** Makes the lines of one check. */
export function rowsOf(check: CheckName) {
  return {
    /** A check that ran, and whether its result is as it should be. */
    judged: (what: string, measured: string, expected: string, isGood: boolean): Row => ({
      ...{ check, what, measured, expected, result: isGood ? 'ok' : 'failed' },
    }),
    /** A check that this machine cannot do; `why` names what is missing. */
    skipped: (what: string, why: string): Row => ({
      ...{ check, what, measured: why, expected: '', result: 'skipped' },
    }),
  };
}

/** The lines as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ check, what, measured, expected, result }) =>
    [check, what, measured, expected, result === 'failed' ? '**failed**' : result].map(cellOf).join(' | '),
  );
  return [
    '| check | what | measured | expected | result |',
    '| --- | --- | --- | --- | --- |',
    ...lines.map(line => `| ${line} |`),
  ].join('\n');
}

/** How many lines are ok, failed and skipped, in words. */
export function countOf(rows: readonly Row[]): string {
  const count = (result: Row['result']) => rows.filter(row => row.result === result).length;
  return `${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped`;
}

function cellOf(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}
