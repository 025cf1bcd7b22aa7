import type { Machine } from './machine.ts';

/** The input of every check. */
export type Context = {
  readonly machine: Machine;
  /** For the files of the check; removed at the end. */
  readonly folder: string;
  /** Budget of one training. */
  readonly seconds: number;
  /** Experiments of the study after its baseline. */
  readonly experiments: number;
  /** How long telemetry is compared. */
  readonly watchSeconds: number;
  /** Whether to train on the processor if there is no GPU. */
  readonly isOnCpu: boolean;
  /** Aborts when the check is interrupted. */
  readonly signal: AbortSignal;
  /** Reports progress; not part of the table. */
  readonly tell: (text: string) => void;
};

/** Why no training can run on a GPU here; null if one can. */
export function whyNoTraining({ machine, isOnCpu }: Context): string | null {
  if (!machine.torch.isThere) return machine.torch.why;
  if (isOnCpu || machine.torch.it.hasCuda) return null;
  const { python, version } = machine.torch.it;
  return `PyTorch ${version} of ${python} has no CUDA device (torch.cuda.is_available() is False)`;
}
