import { MINUS } from '../numbers.ts';
/** Words for runs that test whether a number comes from the data on which it should be measured. */

export const PROBE_REASONS = ['not_from_data', 'memorised'] as const;
export type ProbeReason = (typeof PROBE_REASONS)[number];

/** What a run with swapped data showed against a commit. */
export type ProbeFailure = {
  /** Its number with swapped data; null if it gave none. */
  readonly value: number | null;
  /** Its gain over the commit it was compared with, as recorded and with the data swapped. */
  readonly gain: number;
  readonly gainThere: number | null;
};

/** Why swapping the data shows nothing. */
export type SwapFault = 'no_number' | 'no_difference' | 'other_kind';

export const SWAP_FAULT_WORDS: Readonly<Record<SwapFault, string>> = {
  no_number:
    'With the data of audit.swap swapped, the baseline gives no number, so no keep is audited. The log of that run says why.',
  no_difference:
    'With the data of audit.swap swapped, the baseline gives the same number: it is not measured on those files. So no keep is audited. Name the validation data in audit.swap.',
  other_kind:
    "With the data of audit.swap swapped, the baseline's number is less than half, or more than twice, what it was: the two are not the same kind of data. So no keep is audited.",
};

export type ProbeEvidence = ProbeFailure & {
  /** The experiment it was compared with. */
  readonly against: number;
};

export function isProbeReason(reason: string): reason is ProbeReason {
  return (PROBE_REASONS as readonly string[]).includes(reason);
}

/** A sentence for a reader. */
export function describeProbe(
  reason: ProbeReason,
  { value, gain, gainThere, against }: ProbeEvidence,
): string {
  if (reason === 'not_from_data')
    return `With other validation data it printed the same number, ${shown(value)}. So the number does not come from the data.`;
  if (value === null || gainThere === null)
    return `With other validation data it twice gave no number, but #${against} gave one.`;
  return `Its gain over #${against} is ${shown(gain)}. With other validation data it is ${shown(gainThere)}: it memorised the validation data.`;
}

/** Discards whose number says nothing about the code: it was luck, or did not come from the data. */
export function isEmptyNumber(reason: string): boolean {
  return reason === 'rolled_back' || isProbeReason(reason);
}

/**
 * Reasons for a closer look, never for a verdict. `jump`: a gain much larger than the noise and than every trusted
 * gain; `bound`: better than the contract says is possible; the others: the edit names what measures, the data it is
 * measured on, seeds, or clocks.
 */
export const HINTS = ['jump', 'bound', 'evaluation', 'validation', 'seed', 'timer'] as const;
export type Hint = (typeof HINTS)[number];

const HINT_WORDS: Readonly<Record<Hint, string>> = {
  jump: 'a suspiciously large gain, far above the noise and earlier gains',
  bound: 'better than the best possible number in the contract',
  evaluation: 'the edit touches the evaluation',
  validation: 'the edit names the validation data',
  seed: 'the edit changes a seed',
  timer: 'the edit changes how time is measured',
};

export function describeHints(hints: readonly Hint[]): string {
  return `Look closer: ${hints.map(hint => HINT_WORDS[hint]).join('; ')}.`;
}

function shown(value: number | null): string {
  return value === null ? 'none' : String(Number(value.toPrecision(6))).replace('-', MINUS);
}
