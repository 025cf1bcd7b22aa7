import type { Machine } from './machine.ts';

/** What every check is made with. */
export type Context = {
  readonly machine: Machine;
  /** Of the check, for whatever it makes; it goes at the end. */
  readonly folder: string;
  /** Budget of one training. */
  readonly seconds: number;
  /** Experiments of the study after its baseline. */
  readonly experiments: number;
  /** For how long telemetry is compared. */
  readonly watchSeconds: number;
  /** Whether trainings are run on the processor where there is no GPU to run them on. */
  readonly isOnCpu: boolean;
  /** Aborts when the check is interrupted. */
  readonly signal: AbortSignal;
  /** Says how far it is; not part of the table. */
  readonly tell: (text: string) => void;
};

/** Why trainings cannot be run on a GPU here; null where they can. */
export function whyNoTraining({ machine, isOnCpu }: Context): string | null {
  if (!machine.torch.isThere) return machine.torch.why;
  if (isOnCpu || machine.torch.it.hasCuda) return null;
  const { python, version } = machine.torch.it;
  return `PyTorch ${version} of ${python} has no CUDA device (torch.cuda.is_available() is False)`;
}
