import { Cpu } from 'lucide-react';
import type { ReactNode } from 'react';
import { type GpuSample, type TelemetrySample, throttleWords } from '../../../shared/machines/telemetry.ts';
import { ABSENT, formatBytes, formatNumber } from '../../../shared/numbers.ts';
import { useStore } from '../../app/store.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { BEAT_MS, useEvery } from '../../ui/use-now.ts';

const readTelemetry = () => useStore.getState().telemetry;
const readGpuState = () => useStore.getState().gpuState;

/** The machine's last minutes: each GPU, if any, and the host. */
export function MachineNow({ isSmall }: { readonly isSmall?: boolean }) {
  const telemetry = useEvery(BEAT_MS, readTelemetry);
  const gpuState = useEvery(BEAT_MS, readGpuState);
  const newest = telemetry.at(-1);
  if (!newest) {
    return <p className="text-muted text-sm">The first sample of the machine comes in a second.</p>;
  }
  return (
    <section
      aria-label="Machine"
      className={
        isSmall ? 'flex flex-col gap-3 @xl:grid @xl:grid-cols-2 @xl:gap-6' : 'grid grid-cols-2 gap-6'
      }
    >
      {newest.gpus.map(gpu => (
        <Gpu key={gpu.uuid} gpu={gpu} telemetry={telemetry} />
      ))}
      {newest.gpus.length === 0 ? <NoGpu state={gpuState} /> : null}
      <div className="flex flex-col gap-1">
        <h2 className="font-medium text-muted text-xs">Host</h2>
        <Meter
          name="CPU"
          value={newest.host.cpuPercent === undefined ? ABSENT : `${Math.round(newest.host.cpuPercent)} %`}
          y={telemetry.map(sample => sample.host.cpuPercent ?? null)}
        />
        <Meter
          name="Memory"
          value={`${formatBytes(newest.host.memoryUsedBytes)} / ${formatBytes(newest.host.memoryTotalBytes)}`}
          y={telemetry.map(sample => sample.host.memoryUsedBytes)}
        />
        <Meter
          name="Load"
          value={formatNumber(newest.host.load, 3)}
          y={telemetry.map(sample => sample.host.load)}
        />
        <Disk host={newest.host} telemetry={telemetry} />
      </div>
    </section>
  );
}

function Disk({
  host,
  telemetry,
}: {
  readonly host: TelemetrySample['host'];
  readonly telemetry: readonly TelemetrySample[];
}) {
  const { diskFreeBytes: free, diskTotalBytes: total } = host;
  const moved = ({ diskReadBytesPerSecond: read, diskWriteBytesPerSecond: written }: typeof host) =>
    read === undefined || written === undefined ? null : read + written;
  const rate = moved(host);
  return (
    <>
      {rate === null ? null : (
        <Meter name="Disk" value={`${formatBytes(rate)}/s`} y={telemetry.map(sample => moved(sample.host))} />
      )}
      {free === undefined || total === undefined ? null : (
        <Meter
          name="Disk free"
          value={`${formatBytes(free)} / ${formatBytes(total)}`}
          y={telemetry.map(sample => sample.host.diskFreeBytes ?? null)}
        />
      )}
    </>
  );
}

function Gpu({
  gpu,
  telemetry,
}: {
  readonly gpu: GpuSample;
  readonly telemetry: readonly TelemetrySample[];
}) {
  const past = (read: (sample: GpuSample) => number | undefined) =>
    telemetry.map(sample => {
      const own = sample.gpus.find(other => other.uuid === gpu.uuid);
      return own ? (read(own) ?? null) : null;
    });
  const show = (value: number | undefined, unit: string) =>
    value === undefined ? ABSENT : `${formatNumber(value, 4)} ${unit}`;
  const of = (value: number | undefined, whole: number | undefined, unit: string) =>
    whole === undefined
      ? show(value, unit)
      : `${value === undefined ? ABSENT : formatNumber(value)} / ${show(whole, unit)}`;
  const throttled = throttleWords(gpu.throttleReasons ?? 0);
  const { pcieGeneration, pcieLanes } = gpu;
  const link = pcieGeneration && pcieLanes ? `, PCIe ${pcieGeneration}.0 ×${pcieLanes}` : '';
  return (
    <div className="flex flex-col gap-1">
      <h2 className="truncate font-medium text-muted text-xs" title={`${gpu.name} ${gpu.uuid}${link}`}>
        GPU {gpu.index}: {gpu.name}
      </h2>
      <Meter
        name="Utilisation"
        value={show(gpu.utilizationPercent, '%')}
        y={past(own => own.utilizationPercent)}
      />
      <Meter
        name="Memory"
        value={of(gpu.memoryUsedMib, gpu.memoryTotalMib, 'MiB')}
        y={past(own => own.memoryUsedMib)}
      />
      <Meter
        name="Temperature"
        value={show(gpu.temperatureCelsius, '°C')}
        y={past(own => own.temperatureCelsius)}
      />
      <Meter
        name="Power"
        value={of(gpu.powerWatts, gpu.powerLimitWatts, 'W')}
        y={past(own => own.powerWatts)}
      />
      <Meter name="SM clock" value={show(gpu.smClockMhz, 'MHz')} y={past(own => own.smClockMhz)} />
      <Meter
        name="Memory clock"
        value={show(gpu.memoryClockMhz, 'MHz')}
        y={past(own => own.memoryClockMhz)}
      />
      {gpu.fanPercent === undefined ? null : (
        <Meter name="Fan" value={show(gpu.fanPercent, '%')} y={past(own => own.fanPercent)} />
      )}
      {gpu.instances ? (
        <p className="break-words text-muted text-xs">
          Split by MIG: {gpu.instances.map(({ name }) => name).join(', ')}
        </p>
      ) : null}
      {throttled.length > 0 ? (
        <p className="text-warn text-xs">Clocks throttled: {throttled.join(', ')}</p>
      ) : null}
    </div>
  );
}

function NoGpu({ state }: { readonly state: { readonly kind: string; readonly message?: string } }) {
  const words: Readonly<Record<string, ReactNode>> = {
    starting: 'Looking for a GPU …',
    none: 'No NVIDIA or AMD GPU was found (no nvidia-smi and no amdgpu driver). That is fine for a training that needs none.',
    sampling: 'nvidia-smi lists no GPU.',
    failing: `nvidia-smi reports nothing: ${state.message ?? ''}`,
  };
  return (
    <div className="flex gap-2 self-start rounded-lg bg-sunken px-3 py-2 text-muted text-xs">
      <Cpu size={14} aria-hidden className="mt-0.5 shrink-0" />
      <p className="break-words">{words[state.kind]}</p>
    </div>
  );
}

function Meter({
  name,
  value,
  y,
}: {
  readonly name: string;
  readonly value: string;
  readonly y: readonly (number | null)[];
}) {
  return (
    <div className="grid grid-cols-[5.25rem_4rem_minmax(0,1fr)] items-center gap-2 text-sm">
      <span className="truncate text-muted text-xs">{name}</span>
      <Sparkline y={y} width={64} height={18} label={`${name} over the last minutes`} />
      <span className="tabular truncate text-right text-xs" title={value}>
        {value}
      </span>
    </div>
  );
}
