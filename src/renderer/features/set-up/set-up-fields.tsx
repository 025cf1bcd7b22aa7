import { Switch } from '../../ui/field.tsx';
import { SelectField } from '../../ui/select.tsx';
import { GpuField } from './gpu-field.tsx';
import { LanesField } from './lanes-field.tsx';
import { Group, type GroupProps, hasProblemIn, Lines, type PartProps, Text } from './set-up-part.tsx';
import { describeContract, describeReach, describeStopRules } from './set-up-summaries.ts';

/** What may change, and how to train. */
export function ContractFields({ tries, ...props }: GroupProps) {
  return (
    <Group
      title="What may change, and how to train"
      summary={describeContract(props.form)}
      hint="Everything else in the repository stays as it is."
      hasProblem={hasProblemIn(props.problems, [
        ...(['editable', 'locked', 'train', 'setup', 'instructions', 'environment'] as const),
      ])}
      tries={tries}
      isOpenAtFirst={props.form.editable.trim() === '' || props.form.train.trim() === ''}
    >
      <Lines
        {...props}
        name="editable"
        label="Editable files"
        hint="One path or pattern per line."
        placeholder="train.py"
        rows={3}
      />
      <Lines
        {...props}
        name="locked"
        label="Locked files"
        hint="Compared before and after each run. Leave empty for every other tracked file."
        rows={3}
      />
      <Text
        {...props}
        name="train"
        label="Training command"
        hint="Run in the study's own worktree."
        placeholder="uv run train.py"
      />
      <Text
        {...props}
        name="setup"
        label="Set-up command"
        hint="Runs once per study. Optional."
        placeholder="uv sync"
      />
      <Text
        {...props}
        name="instructions"
        label="Instructions"
        hint="What the proposer reads first."
        placeholder="program.md"
      />
      <Text
        {...props}
        name="environment"
        label="Variables the training may see"
        hint="Names only. No key is passed on unless you name it."
        placeholder="HF_HOME"
      />
    </Group>
  );
}

/** What the training can access. */
export function SandboxFields({ tries, ...props }: GroupProps) {
  const { form, onChange } = props;
  return (
    <Group
      title="What the training can reach"
      summary={describeReach(form)}
      hint="In a sandbox it can change only its worktree, and sees no home directory."
      hasProblem={hasProblemIn(props.problems, [
        ...(['reads', 'writes', 'memoryGb', 'freeDiskGb', 'processes', 'cap', 'gpu', 'lanes'] as const),
      ])}
      tries={tries}
    >
      <SelectField
        label="Sandbox"
        value={form.sandbox}
        options={[
          { value: 'preferred', label: 'Where this machine has one' },
          { value: 'required', label: 'Required: else nothing runs' },
          { value: 'off', label: 'Off: it can do whatever you can' },
        ]}
        onChange={sandbox => onChange({ sandbox })}
      />
      <Lines
        {...props}
        name="reads"
        label="Folders it may read"
        hint="Data and caches outside the repository, one per line."
        placeholder="~/.cache/autoresearch"
        isDisabled={form.sandbox === 'off'}
      />
      {form.setup.trim() === '' ? null : (
        <Lines
          {...props}
          name="writes"
          label="Writable set-up files"
          hint="One path per line; the rest is read-only."
          placeholder="build"
          isDisabled={form.sandbox === 'off'}
        />
      )}
      <Text
        {...props}
        name="memoryGb"
        label="Memory per run (GiB)"
        hint="A run that exceeds it is ended. Leave empty for 95 % of the machine's."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="freeDiskGb"
        label="Disk to keep free (GiB)"
        hint="A run is ended when less is free. Leave empty for 0.25 GiB."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="processes"
        label="Processes per run"
        hint="A run that exceeds it is ended. Leave empty for 4096."
        inputMode="numeric"
      />
      {form.model.trim() !== '' ? (
        <Text
          {...props}
          name="cap"
          label={`Cap for asking ${form.model.trim()} (US$)`}
          hint="For the study; the training asks it through Pawl. Empty: the proposer's cap, otherwise 5."
          inputMode="decimal"
        />
      ) : null}
      <GpuField value={form.gpu} onChange={gpu => onChange({ gpu })} />
      <LanesField value={form.lanes} problem={props.problems.lanes} onChange={lanes => onChange({ lanes })} />
      <Switch label="With network" checked={form.network} onChange={network => onChange({ network })} />
    </Group>
  );
}

/** The study's name. */
export function NameField(props: PartProps) {
  return <Text {...props} name="tag" label="Name of the study" hint="Its branch is autoresearch/<name>." />;
}

/** How long the study runs, in the most common terms. */
export function LengthFields(props: PartProps) {
  return (
    <>
      <Text
        {...props}
        name="experiments"
        label="Experiments"
        hint="Not counting the baseline. Leave it and the hours empty to run until you stop it."
        inputMode="numeric"
      />
      <Text {...props} name="hours" label="Hours" hint="For this sitting." inputMode="decimal" />
    </>
  );
}

/** Further rules for the study's end. */
export function StopFields({ tries, ...props }: GroupProps) {
  return (
    <Group
      title="When else to stop"
      summary={describeStopRules(props.form)}
      hint="Whichever comes first."
      hasProblem={hasProblemIn(props.problems, ['deadline', 'target', 'patience', 'crashes'])}
      tries={tries}
    >
      <Text
        {...props}
        name="deadline"
        label="Deadline"
        hint="No experiment starts after this."
        type="datetime-local"
      />
      <Text
        {...props}
        name="target"
        label="Target"
        hint="Stop when the metric is at least this good."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="patience"
        label="Patience"
        hint="Experiments in a row without a keep."
        inputMode="numeric"
      />
      <Text {...props} name="crashes" label="Crashes in a row" inputMode="numeric" />
    </Group>
  );
}
