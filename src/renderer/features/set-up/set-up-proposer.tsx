import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import { describeRetirement } from '../../../shared/model-retirements.ts';
import { formatDuration } from '../../../shared/numbers.ts';
import type { AgentStatus, AgentTrial } from '../../../shared/proposer-calls.ts';
import { EFFORTS } from '../../../shared/study.ts';
import { explain } from '../../app/explain.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Field, Switch } from '../../ui/field.tsx';
import { Select, type SelectOption } from '../../ui/select.tsx';
import { KeyField } from './key-field.tsx';
import { PlannedSpend } from './planned-spend.tsx';
import { type ArmForm, type ArmProblems, newArm } from './set-up-arm.ts';
import { type FormProblems, mayBeAway, type ProposerForm, type SpendBasisForm } from './set-up-form.ts';
import { Group, Text } from './set-up-part.tsx';
import { describeProposers } from './set-up-summaries.ts';

/** As many as the host takes. */
const MAX_ARMS = 8;

type ArmProps = {
  readonly form: ArmForm;
  readonly problems: ArmProblems;
  readonly onChange: (patch: Partial<ArmForm>) => void;
  readonly spend: SpendBasisForm;
};

type ProposerProps = {
  readonly form: ProposerForm;
  readonly problems: Pick<FormProblems, 'arms'>;
  readonly onChange: (patch: Partial<ProposerForm>) => void;
  /** What a model's cost is estimated from. */
  readonly spend: SpendBasisForm;
};

/** Fields without which a proposer cannot be asked; what is wrong with others is found in its details. */
const ESSENTIAL: readonly (keyof ArmForm)[] = [
  ...(['kind', 'command', 'patches', 'agent', 'model', 'key', 'baseUrl'] as const),
];

/** Who proposes: one with what it cannot do without, several each with all of it. */
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
      <Field
        label="How they work together"
        hint="Their calls, results and cost are counted separately, so you can compare them."
      >
        {ids => (
          <Select
            {...ids}
            value={form.routing}
            options={[
              { value: 'fallback', label: 'Each one where those before it have nothing' },
              { value: 'alternate', label: 'In turns' },
              ...(form.routing === 'stand_in'
                ? [{ value: 'stand_in', label: 'While the first cannot' } as const]
                : []),
            ]}
            onChange={routing => onChange({ routing })}
          />
        )}
      </Field>
    </>
  );
}

/** What else can be said of the proposer; approval only where it is given. */
export function ProposerDetails({
  approval,
  tries,
  ...props
}: ProposerProps & {
  readonly approval: { readonly asks: boolean; readonly onChange: (asks: boolean) => void } | null;
  readonly tries: number;
}) {
  const { form, problems, onChange, spend } = props;
  const { arms, standsIn } = form;
  const [first] = arms;
  const own = problems.arms?.[0] ?? {};
  return (
    <Group
      title="More about the proposer"
      summary={describeProposers(form, approval?.asks ?? null)}
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

/** Which one, and what it cannot be asked without. */
function ArmChoice(props: ArmProps) {
  const { form, onChange } = props;
  return (
    <>
      <Field label="Proposer">
        {ids => (
          <Select
            {...ids}
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
        )}
      </Field>
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
          <Field label="How it chooses">
            {ids => (
              <Select
                {...ids}
                value={form.strategy}
                options={[
                  { value: 'gaussian-process', label: 'By a model of what was tried (Gaussian process)' },
                  { value: 'ladder', label: 'Step by step, one constant at a time (ladder)' },
                ]}
                onChange={strategy => onChange({ strategy })}
              />
            )}
          </Field>
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

function AgentFields(props: ArmProps) {
  const { form, onChange } = props;
  const first = useCall('agents', () => getClient().proposers.agents({ isPatient: false }));
  // Some take long to say their version; nobody waits for them.
  const whole = useCall('agents, all of it', () => getClient().proposers.agents({ isPatient: true }));
  const agents = whole.value ?? first.value;
  const chosen = agents?.find(({ agent }) => agent === form.agent);
  return (
    <>
      <Field label="Agent" hint={chosen ? describeAgent(chosen) : (first.problem ?? 'Looking for agents …')}>
        {ids => (
          <Select
            {...ids}
            value={form.agent}
            options={[
              ...(chosen ? [] : [{ value: form.agent, label: form.agent }]),
              ...(agents ?? []).map(({ agent, title, isFound }) => ({
                value: agent,
                label: isFound ? title : `${title} (not installed)`,
              })),
            ]}
            onChange={agent => onChange({ agent })}
          />
        )}
      </Field>
      <AgentTrialButton
        key={`${form.agent} ${form.agentModel}`}
        form={form}
        isFound={chosen?.isFound === true}
      />
    </>
  );
}

/** One harmless proposal, to see whether it works and how long it takes. */
function AgentTrialButton({ form, isFound }: { readonly form: ArmForm; readonly isFound: boolean }) {
  const [trial, setTrial] = useState<AgentTrial | 'asking' | null>(null);
  const ask = async () => {
    setTrial('asking');
    const model = form.agentModel.trim() || null;
    const answer = await getClient()
      .proposers.tryAgent({ agent: form.agent, model })
      .catch(error => ({ isGood: false, message: explain(error), seconds: 0, isContained: false }));
    setTrial(answer);
  };
  return (
    <div className="flex flex-col items-start justify-end gap-1.5">
      <Button size="small" disabled={!isFound || trial === 'asking'} onClick={() => void ask()}>
        {trial === 'asking' ? 'Asking it …' : 'Try it'}
      </Button>
      <p role="status" className="min-h-4 break-words text-muted text-xs">
        {trial === null ? 'Asks for one harmless proposal in a separate folder.' : null}
        {trial === 'asking' ? 'This takes from a few seconds to a minute.' : null}
        {trial !== null && trial !== 'asking' ? (
          <span className={trial.isGood ? 'text-keep' : 'text-crash'}>{describeTrial(trial)}</span>
        ) : null}
      </p>
    </div>
  );
}

function describeTrial({ isGood, message, seconds, isContained }: AgentTrial): string {
  if (!isGood) return message;
  return `${message} It took ${formatDuration(seconds)}${isContained ? '' : ', without a sandbox'}.`;
}

function describeAgent({ isFound, version, isAsking, isSignedIn, signIn }: AgentStatus): string {
  if (!isFound) return 'Not installed on this machine.';
  const told = version ?? (isAsking ? 'asking for its version …' : 'version unknown');
  return `${told}; ${isSignedIn ? 'signed in' : `no sign-in seen (it may be in the keyring). ${signIn}`}`;
}

const KEYS: readonly SelectOption<ArmForm['key']>[] = [
  { value: 'environment', label: 'ANTHROPIC_API_KEY from the environment' },
  { value: 'stored', label: 'The key stored in the desktop app' },
  { value: 'none', label: 'None: the server needs no key' },
];

function ModelFields(props: ArmProps) {
  const { form, onChange } = props;
  const listId = useId();
  const isDesktop = useStore(state => state.host?.host === 'desktop');
  const list = useCall(
    JSON.stringify(['models', form.baseUrl.trim(), form.key]),
    () => getClient().projects.models({ baseUrl: form.baseUrl.trim() || null, key: form.key }),
    'models',
  );
  return (
    <>
      <Text
        {...props}
        name="model"
        label="Model"
        list={listId}
        hint={
          describeRetirement(form.model.trim(), form.baseUrl.trim() || null) ??
          list.problem ??
          (list.value
            ? `${list.value.length} models offered; you can also type any other name.`
            : 'Asking the server …')
        }
      />
      <datalist id={listId}>
        {list.value?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </datalist>
      <Field label="Key" hint="Sent only to the server; never to the training or into any record.">
        {ids => (
          <Select
            {...ids}
            value={form.key}
            options={KEYS.filter(({ value }) => value !== 'stored' || isDesktop)}
            onChange={key => onChange({ key })}
          />
        )}
      </Field>
      {form.key === 'stored' ? <KeyField onChanged={list.again} /> : null}
      <Text
        {...props}
        name="baseUrl"
        label="Server"
        hint="Empty: Anthropic's. Ollama, vLLM and gateways work too."
        placeholder="http://127.0.0.1:11434"
      />
      <PlannedSpend model={form.model.trim()} basis={props.spend} />
    </>
  );
}

function ModelDetails(props: ArmProps) {
  const { form, onChange } = props;
  return (
    <>
      <Field label="Effort">
        {ids => (
          <Select
            {...ids}
            value={form.effort}
            options={[
              { value: '', label: 'As the model likes' },
              ...EFFORTS.map(effort => ({ value: effort, label: effort })),
            ]}
            onChange={effort => onChange({ effort })}
          />
        )}
      </Field>
      <Text
        {...props}
        name="studyCap"
        label="Cap for the study (US$)"
        hint="Calls that could exceed it are not made. Leave empty for no cap."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="sittingCap"
        label="Cap for a night (US$)"
        hint="For one sitting."
        inputMode="decimal"
      />
    </>
  );
}
