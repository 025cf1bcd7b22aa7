import type { Contract } from '../../shared/contract/contract.ts';
import { finiteOrNull } from '../../shared/numbers.ts';
import type { Summary } from '../../shared/study.ts';

/** The metric and the memory in a summary; null if one was not printed or is not finite. */
export function measure(
  summary: Summary | null,
  metric: Contract['metric'],
): { readonly metric: number | null; readonly memory: number | null } {
  return {
    metric: finiteOrNull(summary?.[metric.name]),
    memory: metric.memory === null ? null : finiteOrNull(summary?.[metric.memory]),
  };
}
