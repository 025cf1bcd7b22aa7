import { TextField } from '../../ui/field.tsx';

/** Where to train several experiments at the same time. */
export function LanesField({
  value,
  problem,
  onChange,
}: {
  /** Separated by commas; empty for one experiment at a time. */
  readonly value: string;
  readonly problem: string | null | undefined;
  readonly onChange: (lanes: string) => void;
}) {
  return (
    <TextField
      label="Lanes"
      hint="To train several experiments at once: cpu:4, gpu:all, slurm:8, ssh:host or ssh:host/gpu:0, separated by commas."
      problem={problem}
      value={value}
      placeholder="one at a time"
      onChange={onChange}
    />
  );
}
