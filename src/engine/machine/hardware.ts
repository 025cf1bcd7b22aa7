import { cpus } from 'node:os';
import type { Hardware } from '../../shared/verdicts/fairness.ts';

/** The model of this machine's processors; null where the kernel does not name it. */
export function processorModel(): string | null {
  return cpus()[0]?.model.trim() || null;
}

/** Whether both are known, and the same. */
export function isSameHardware(own: Hardware | undefined, other: Hardware): boolean {
  const [here, there] = own ? modelsOf(own, other) : [null, null];
  return here !== null && here === there;
}

/** How the hardware of a run differs from the baseline's, in words; null if it is the same, or not known of both. */
export function hardwareDifference(own: Hardware, baseline: Hardware | null): string | null {
  const [here, before] = baseline ? modelsOf(own, baseline) : [null, null];
  return here === null || before === null || here === before ? null : `on ${here}, the baseline on ${before}`;
}

/** The models to compare. Processors matter only where neither run trained on a GPU. */
function modelsOf(one: Hardware, other: Hardware): readonly [string | null, string | null] {
  const isOnProcessors = one.gpu === null && other.gpu === null;
  return isOnProcessors ? [one.processor, other.processor] : [one.gpu, other.gpu];
}
