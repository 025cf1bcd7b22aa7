import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react';
import type { OtherLines } from '../../../shared/study.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Switch } from '../../ui/field.tsx';
import { SelectField } from '../../ui/select.tsx';
import { AgentFields } from './agent-fields.tsx';
import { ModelDetails, ModelFields } from './model-fields.tsx';
import { OtherLinesField } from './other-lines-field.tsx';
import { type ArmForm, newArm } from './set-up-arm.ts';
import { type FormProblems, mayBeAway, type ProposerForm, type SpendBasisForm } from './set-up-form.ts';
import { type ArmProps, Group, Text } from './set-up-part.tsx';
import { describeProposers } from './set-up-summaries.ts';

/** The host's limit. */
const MAX_ARMS = 8;

type ProposerProps = {
  readonly form: ProposerForm;
  readonly problems: Pick<FormProblems, 'arms'>;
  readonly onChange: (patch: Partial<ProposerForm>) => void;
  /** The basis for estimating a model's cost. */
  readonly spend: SpendBasisForm;
};

/** Fields without which a proposer cannot be asked; problems of other fields are shown in its details. */
const ESSENTIAL: readonly (keyof ArmForm)[] = [
  ...(['kind', 'command', 'patches', 'agent', 'model', 'key', 'baseUrl'] as const),
];

/** Chooses the proposers: a single one with its essential fields, several with all of theirs. */
export function ProposerChoice({ form, problems, onChange, spend }: ProposerProps) {
  const { arms } = form;
  const setArms = (next: readonly ArmForm[]) => onChange({ arms: next });
  const swap = (place: number, other: number) =>
    setArms(arms.map((arm, at) => (at === place ? arms[other] : at === other ? arms[place] : arm) ?? arm));
  const propsOf = (arm: ArmForm, place: number): ArmProps => ({
    ...{ form: arm, spend, problems: problems.arms?.[place] ?? {} },
    onChange: patch => setArms(arms.map(other => (other.id === arm.id ? { ...other, ...patch } : other))),
  });
  if (arms.length === 1) return arms.map((arm, place) => <ArmChoice key={arm.id} {...propsOf(arm, place)} />);
  return (
    <>
      {arms.map((arm, place) => (
        <fieldset
          key={arm.id}
          aria-label={`Proposer ${place + 1}`}
          className="col-span-2 grid grid-cols-2 gap-x-5 gap-y-3 rounded-lg border border-line p-4"
        >
          <div className="col-span-2 flex items-center justify-between">
            <span className="font-medium text-muted text-sm">Proposer {place + 1}</span>
            <span className="flex">
              <IconButton label="Up" disabled={place === 0} onClick={() => swap(place, place - 1)}>
                <ArrowUp size={15} aria-hidden />
              </IconButton>
              <IconButton
                label="Down"
                disabled={place === arms.length - 1}
                onClick={() => swap(place, place + 1)}
              >
                <ArrowDown size={15} aria-hidden />
              </IconButton>
              <IconButton label="Remove" onClick={() => setArms(arms.filter(other => other.id !== arm.id))}>
                <Trash2 size={15} aria-hidden />
              </IconButton>
            </span>
          </div>
          <ArmChoice {...propsOf(arm, place)} />
          <ArmDetails {...propsOf(arm, place)} />
        </fieldset>
      ))}
      <SelectField
        label="How they work together"
        hint="Their calls, results and cost are counted separately, so you can compare them."
        value={form.routing}
        options={[
          { value: 'fallback', label: 'Each one when those before it have nothing to propose' },
          { value: 'alternate', label: 'In turns' },
          ...(form.routing === 'stand_in'
            ? [{ value: 'stand_in', label: 'While the first cannot' } as const]
            : []),
        ]}
        onChange={routing => onChange({ routing })}
      />
    </>
  );
}

/** The proposer's further fields; approval only if there is such a setting. */
export function ProposerDetails({
  approval,
  otherLines,
  tries,
  ...props
}: ProposerProps & {
  readonly approval: { readonly asks: boolean; readonly onChange: (asks: boolean) => void } | null;
  readonly otherLines: { readonly value: OtherLines; readonly onChange: (value: OtherLines) => void } | null;
  readonly tries: number;
}) {
  const { form, problems, onChange, spend } = props;
  const { arms, standsIn } = form;
  const [first] = arms;
  const own = problems.arms?.[0] ?? {};
  return (
    <Group
      title="More about the proposer"
      summary={describeProposers(form, approval?.asks ?? null, otherLines?.value)}
      hint="The proposer only proposes; training, git and the verdict stay with Pawl."
      hasProblem={
        arms.length === 1 && Object.keys(own).some(name => !ESSENTIAL.some(known => known === name))
      }
      tries={tries}
    >
      {first && arms.length === 1 ? (
        <ArmDetails
          form={first}
          spend={spend}
          problems={own}
          onChange={patch => onChange({ arms: [{ ...first, ...patch }] })}
        />
      ) : null}
      {first && arms.length === 1 && mayBeAway(first) ? (
        <div className="col-span-2">
          <Switch
            label="Let the search stand in"
            hint="While the proposer cannot be asked (not signed in, no quota, its server is down), the search over constants proposes, and the proposer is asked again every half hour. Otherwise the study pauses."
            checked={standsIn}
            onChange={isOn => onChange({ standsIn: isOn })}
          />
        </div>
      ) : null}
      <div className="col-span-2">
        <Button
          size="small"
          disabled={arms.length >= MAX_ARMS}
          onClick={() =>
            onChange({
              arms: [...arms, newArm(arms.some(({ kind }) => kind === 'search') ? 'model' : 'search')],
            })
          }
        >
          <Plus size={14} aria-hidden /> Add another proposer
        </Button>
      </div>
      {otherLines ? <OtherLinesField {...otherLines} /> : null}
      {approval ? (
        <div className="col-span-2">
          <Switch
            label="Wait for my approval"
            hint="You see each proposal before it runs: approve, edit, send back or reject it. You can switch this at any time."
            checked={approval.asks}
            onChange={approval.onChange}
          />
        </div>
      ) : null}
    </Group>
  );
}

/** Chooses one proposer, with its essential fields. */
function ArmChoice(props: ArmProps) {
  const { form, onChange } = props;
  return (
    <>
      <SelectField
        label="Proposer"
        value={form.kind}
        options={[
          { value: 'search', label: 'Search over constants (no network)' },
          { value: 'command', label: 'A command that edits the files' },
          { value: 'patches', label: 'A folder of patches' },
          { value: 'model', label: 'A language model (Messages API)' },
          { value: 'agent', label: 'An agent on the command line' },
        ]}
        onChange={kind => onChange({ kind })}
      />
      {form.kind === 'patches' ? (
        <Text {...props} name="patches" label="Folder" placeholder="/path/to/patches" />
      ) : null}
      {form.kind === 'model' ? <ModelFields {...props} /> : null}
      {form.kind === 'agent' ? <AgentFields {...props} /> : null}
      {form.kind === 'command' ? (
        <Text
          {...props}
          name="command"
          label="Command line"
          hint="Gets the request as JSON on stdin."
          placeholder="./propose.py"
        />
      ) : null}
    </>
  );
}

function ArmDetails(props: ArmProps) {
  const { form, onChange } = props;
  switch (form.kind) {
    case 'search':
      return (
        <>
          <SelectField
            label="How it chooses"
            value={form.strategy}
            options={[
              { value: 'gaussian-process', label: 'By a model of what was tried (Gaussian process)' },
              { value: 'ladder', label: 'Step by step, one constant at a time (ladder)' },
            ]}
            onChange={strategy => onChange({ strategy })}
          />
          <Text {...props} name="seed" label="Seed" inputMode="numeric" />
        </>
      );
    case 'agent':
      return (
        <>
          <Text {...props} name="agentModel" label="Its model" hint="Empty: the agent's own choice." />
          <Text {...props} name="timeout" label="Time limit (seconds)" inputMode="decimal" />
        </>
      );
    case 'command':
      return <Text {...props} name="timeout" label="Time limit (seconds)" inputMode="decimal" />;
    case 'model':
      return <ModelDetails {...props} />;
    case 'patches':
      return null;
    default:
      return form.kind satisfies never;
  }
}
