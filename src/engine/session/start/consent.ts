import type { SandboxMode } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import { armsOf, type ProposerSettings } from '../../../shared/proposers/proposers.ts';
import type { Ledger } from '../../store/ledger.ts';

/** The ledger's key for the user's consent to run model-written code without a sandbox on this machine. */
const SETTING = 'uncontained';

export function hasAgreed(ledger: Ledger): boolean {
  return ledger.settings.get(SETTING) === true;
}

/** Call it inside `ledger.write`. */
export function agree(ledger: Ledger): void {
  ledger.settings.set(SETTING, true);
}

/** Whether unreviewed code runs: a model's or an agent's. */
export function isWrittenByModels(proposer: ProposerSettings): boolean {
  return armsOf(proposer).some(({ kind }) => kind === 'model' || kind === 'agent');
}

/** @param why including what to do about it */
export function sandboxMissing(why: string): PawlError {
  return new PawlError('sandbox_missing', `This study runs nothing without a sandbox. ${why}`);
}

/**
 * Why a study may not run uncontained; null where it may.
 * @param why there is no sandbox; null if none is wanted
 */
export function refuseUncontained(
  mode: SandboxMode,
  proposer: ProposerSettings,
  why: string | null,
  isAgreed: boolean,
): PawlError | null {
  if (mode === 'required') return sandboxMissing(why ?? '');
  if (isAgreed || !isWrittenByModels(proposer)) return null;
  return new PawlError(
    'uncontained',
    `Code that a model writes would run here without a sandbox and could do whatever you can. ${why ?? 'The contract switches the sandbox off.'} ` +
      'If you want that anyway, agree once for this machine: --uncontained in the terminal, the checkbox in the window.',
  );
}
