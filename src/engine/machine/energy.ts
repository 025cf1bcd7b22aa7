import type { SeriesPoint } from '../metrics/output-reader.ts';

/** In a longer gap between samples, the power is unknown. */
const MAX_GAP_SECONDS = 5;

/**
 * Energy of the GPUs in Wh: the integral of their power by the trapezoidal rule; null if no power was measured.
 * @param points samples of the machine, oldest first
 */
export function gpuEnergyWh(points: readonly SeriesPoint[]): number | null {
  const last = new Map<string, { readonly seconds: number; readonly watts: number }>();
  let joules: number | null = null;
  for (const { seconds, values } of points) {
    for (const [name, watts] of values) {
      if (!/^gpu\d+_power_watts$/.test(name)) continue;
      const before = last.get(name);
      last.set(name, { seconds, watts });
      const gap = before ? seconds - before.seconds : 0;
      if (!before || gap <= 0 || gap > MAX_GAP_SECONDS) continue;
      joules = (joules ?? 0) + ((before.watts + watts) / 2) * gap;
    }
  }
  return joules === null ? null : joules / 3_600;
}
