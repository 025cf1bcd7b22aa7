/** Every code an error of Pawl can carry. Hosts map them to exit codes and to what the user reads. */
const ERROR_CODES = [
  'usage',
  'contract_invalid',
  'contract_not_found',
  /** The repository does not say part of its contract, or contradicts itself, so the user has to say it. */
  'contract_unclear',
  'not_a_repository',
  'git_missing',
  'git_failed',
  'gpu_missing',
  'branch_exists',
  'branch_moved',
  'data_folder_unusable',
  'disk_full',
  'engine_running',
  'ledger_newer',
  'ledger_damaged',
  'study_not_found',
  'study_read_only',
  'experiment_not_found',
  'proposer_invalid',
  /** The user's own settings file. */
  'settings_invalid',
  'repository_unwritable',
  'setup_failed',
  'sandbox_missing',
  /** A model's code would run without a sandbox, and the user has not agreed to that. */
  'uncontained',
  /** A set-up command of the repository would run as the user, who has not agreed to its content. */
  'setup_unagreed',
  /** The study could not train, for instance because its command is missing. */
  'cannot_train',
  'import_invalid',
  /** A bug in Pawl; `cause` has the stack. */
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An error with a code. `message` is one sentence the user can act on; `cause` is the underlying error. */
export class PawlError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PawlError';
    this.code = code;
  }
}

/** Ends a `switch` over a union: it does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
