import type { ErrorCode } from '../shared/errors.ts';

/** Exit codes of the terminal host; README's table documents them. */
export const EXIT = {
  /** A stop rule was reached, or the command has succeeded. */
  done: 0,
  /** Something outside failed: full disk, moved branch, broken ledger, a proposer without a usable proposal. */
  failed: 1,
  /** Wrong usage or an invalid contract; nothing was started. */
  usage: 2,
  /** The baseline gave no valid number, so there is nothing to compare with. */
  baselineFailed: 3,
  /** Stopped by the user before a stop rule applied. */
  interrupted: 130,
} as const;

const USAGE_CODES: readonly ErrorCode[] = [
  ...(['usage', 'contract_invalid', 'contract_not_found', 'not_a_repository', 'branch_exists'] as const),
  ...([
    'study_not_found',
    'study_read_only',
    'experiment_not_found',
    'proposer_invalid',
    'settings_invalid',
  ] as const),
  ...(['import_invalid', 'git_missing', 'uncontained', 'cannot_train'] as const),
  ...(['contract_unclear', 'setup_unagreed'] as const),
];

export function exitCodeOf(code: ErrorCode): number {
  return USAGE_CODES.includes(code) ? EXIT.usage : EXIT.failed;
}
