import { cpus } from 'node:os';
import type { Hardware } from '../../shared/fairness.ts';

/** The model of this machine's processors; null where the kernel does not name it. */
export function processorModel(): string | null {
  return cpus()[0]?.model.trim() || null;
}

/**
 * How the hardware of a run differs from the baseline's, in words; null if it is the same, or not known of both.
 * Processors matter only where neither run trained on a GPU.
 */
export function hardwareDifference(own: Hardware, baseline: Hardware | null): string | null {
  if (!baseline) return null;
  const isOnProcessors = own.gpu === null && baseline.gpu === null;
  const [here, before] = isOnProcessors ? [own.processor, baseline.processor] : [own.gpu, baseline.gpu];
  return here === null || before === null || here === before ? null : `on ${here}, the baseline on ${before}`;
}
