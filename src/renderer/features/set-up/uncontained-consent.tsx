import { Switch } from '../../ui/field.tsx';

/** Asked once per machine: code that nobody has read would run with all of the user's rights. */
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
