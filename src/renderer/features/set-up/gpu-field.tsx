import { findByName } from '../../../shared/machines/telemetry.ts';
import { useStore } from '../../app/store.ts';
import { SelectField } from '../../ui/select.tsx';

/** Chooses the GPU for training; shown only if there is a choice, or the chosen one is gone. */
export function GpuField({
  value,
  onChange,
}: {
  /** Its UUID or number; empty leaves the choice to the machine. */
  readonly value: string;
  readonly onChange: (gpu: string) => void;
}) {
  const gpus = useStore(state => state.telemetry.at(-1)?.gpus) ?? [];
  const choices = gpus.flatMap(({ index, uuid, name, instances = [] }) => [
    { uuid: uuid || String(index), index, name: `${index}: ${name}` },
    ...instances.map(instance => ({
      ...{ uuid: instance.uuid, index: null, name: `${index}: ${name}, ${instance.name}` },
    })),
  ]);
  const chosen = findByName(choices, value);
  const isGone = value !== '' && !chosen;
  if (choices.length < 2 && !isGone) return null;
  return (
    <SelectField
      label="GPU"
      hint="All runs of the study use the same GPU."
      problem={isGone && choices.length > 0 ? 'The chosen GPU is missing.' : null}
      value={chosen?.uuid ?? value}
      options={[
        { value: '', label: 'The first one' },
        ...(isGone ? [{ value, label: value }] : []),
        ...choices.map(({ uuid, name }) => ({ value: uuid, label: name })),
      ]}
      onChange={onChange}
    />
  );
}
