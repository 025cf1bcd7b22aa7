import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GpuSample } from '../../shared/machines/telemetry.ts';
import { STALE_MS } from './gpu-sampler.ts';

/** Where the kernel lists graphics cards. */
const FOLDER = '/sys/class/drm';
const AMD_VENDOR = '0x1002';
const MIB = 1024 ** 2;
/** Transfers per second and lane of each PCIe generation, in GT/s. */
const PCIE_SPEEDS = [2.5, 5, 8, 16, 32, 64];

/**
 * Reads AMD's GPUs from the files of the kernel's amdgpu driver: it needs no tool and starts no process. Sources: the
 * kernel's pages on amdgpu's thermal and power controls and on the hwmon interface.
 */
export class AmdSampler {
  readonly #folder: string;
  #gpus: readonly GpuSample[] = [];
  readonly #now: () => number;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  /** @param now milliseconds of a monotonic clock */
  constructor(folder = FOLDER, now = () => performance.now()) {
    this.#folder = folder;
    this.#now = now;
  }

  /** From the last completed reading; empty if that is too old. */
  gpus(): readonly GpuSample[] {
    return this.#now() - this.#readAt > STALE_MS ? [] : this.#gpus;
  }

  /**
   * Starts a reading unless one is in progress, so that a hanging driver blocks only one of Node's few threads. Never
   * rejects.
   */
  read(): Promise<void> {
    this.#reading ??= readCards(this.#folder).then(gpus => {
      this.#gpus = gpus;
      this.#readAt = this.#now();
      this.#reading = null;
    });
    return this.#reading;
  }
}

async function readCards(folder: string): Promise<readonly GpuSample[]> {
  const names = await readdir(folder).catch(() => []);
  const numbers = names
    .flatMap(name => /^card(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const devices: string[] = [];
  for (const number of numbers) {
    const device = join(folder, `card${number}`, 'device');
    if ((await readText(device, 'vendor')) === AMD_VENDOR) devices.push(device);
  }
  const gpus: GpuSample[] = [];
  for (const device of devices) gpus.push(await readCard(device, gpus.length));
  return gpus;
}

async function readCard(device: string, index: number): Promise<GpuSample> {
  const sensors = await readdir(join(device, 'hwmon')).catch(() => []);
  const sensor = join(device, 'hwmon', sensors[0] ?? '');
  const number = async (folder: string, name: string, unit: number) => {
    const text = await readText(folder, name);
    return text !== null && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) / unit : undefined;
  };
  const [id, product] = [await readText(device, 'unique_id'), await readText(device, 'product_name')];
  const [code, speed] = [await readText(device, 'device'), await readText(device, 'current_link_speed')];
  const [fan, fanMost] = [await number(sensor, 'pwm1', 1), await number(sensor, 'pwm1_max', 1)];
  const generation = PCIE_SPEEDS.indexOf(Number.parseFloat(speed ?? '')) + 1;
  const measures = {
    utilizationPercent: await number(device, 'gpu_busy_percent', 1),
    memoryUsedMib: await number(device, 'mem_info_vram_used', MIB),
    memoryTotalMib: await number(device, 'mem_info_vram_total', MIB),
    temperatureCelsius: await number(sensor, 'temp1_input', 1000),
    // Older cards report the average, newer ones the current value.
    powerWatts: (await number(sensor, 'power1_average', 1e6)) ?? (await number(sensor, 'power1_input', 1e6)),
    powerLimitWatts: await number(sensor, 'power1_cap', 1e6),
    smClockMhz: await number(sensor, 'freq1_input', 1e6),
    memoryClockMhz: await number(sensor, 'freq2_input', 1e6),
    fanPercent: fan !== undefined && fanMost ? Math.round((100 * fan) / fanMost) : undefined,
    pcieGeneration: generation > 0 ? generation : undefined,
    pcieLanes: await number(device, 'current_link_width', 1),
  };
  return {
    ...{ index, maker: 'amd', uuid: id ? `GPU-${id}` : '', name: product || `AMD GPU ${code ?? ''}`.trim() },
    ...(Object.fromEntries(Object.entries(measures).filter(([, value]) => value !== undefined)) as Partial<
      Pick<GpuSample, keyof typeof measures>
    >),
  };
}

async function readText(folder: string, name: string): Promise<string | null> {
  const text = await readFile(join(folder, name), 'latin1').catch(() => null);
  return text === null ? null : text.trim();
}
