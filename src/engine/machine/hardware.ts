import { cpus } from 'node:os';
import type { Hardware } from '../../shared/fairness.ts';

/** The model of this machine's processors; null where the kernel does not name it. */
export function processorModel(): string | null {
  return cpus()[0]?.model.trim() || null;
}

/** Whether both are known, and the same. */
export function isSameHardware(own: Hardware | undefined, other: Hardware): boolean {
  if (!own || own.gpu !== other.gpu) return false;
  return own.gpu !== null || (own.processor !== null && own.processor === other.processor);
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
