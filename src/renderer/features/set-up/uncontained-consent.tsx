import { Switch } from '../../ui/field.tsx';

/** Asked once for a machine: code that nobody read would run with all the rights of the user. */
export function UncontainedConsent({
  isAgreed,
  onChange,
}: {
  readonly isAgreed: boolean;
  readonly onChange: (isAgreed: boolean) => void;
}) {
  return (
    <Switch
      label="Run it without a sandbox anyway"
      hint="This holds for this machine. Code that a model writes can then do whatever you can."
      checked={isAgreed}
      onChange={onChange}
    />
  );
}
