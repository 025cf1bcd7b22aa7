import { AGENT_NAMES, EFFORTS } from '../../shared/study.ts';
import { useStore } from '../state/store.ts';
import { getClient } from '../state/sync.ts';
import { Field, Select, Switch } from '../ui/field.tsx';
import { useCall } from '../ui/use-call.ts';
import { KeyField } from './key-field.tsx';
import type { SetUpForm } from './set-up-form.ts';
import { Part, type PartProps, Text } from './set-up-part.tsx';

/** Who proposes, and what that proposer needs to know. */
export function ProposerFields(props: PartProps) {
  const { form, onChange } = props;
  return (
    <Part
      title="Who proposes"
      hint="The proposer only proposes; training, git and the verdict stay with Pawl."
    >
      <Field label="Proposer">
        {ids => (
          <Select
            {...ids}
            value={form.proposer}
            onChange={event => onChange({ proposer: event.target.value as SetUpForm['proposer'] })}
          >
            <option value="search">Search over constants (no network)</option>
            <option value="command">A command that edits the files</option>
            <option value="patches">A folder of patches</option>
            <option value="model">A language model (Messages API)</option>
            <option value="agent">An agent on the command line</option>
          </Select>
        )}
      </Field>
      {form.proposer === 'search' ? (
        <Text {...props} name="seed" label="Seed" inputMode="numeric" />
      ) : (
        <Field
          label="With the search over constants"
          hint="Two proposers are counted apart, so they can be compared."
        >
          {ids => (
            <Select
              {...ids}
              value={form.partner}
              onChange={event => onChange({ partner: event.target.value as SetUpForm['partner'] })}
            >
              <option value="none">No</option>
              <option value="fallback">Where this one has nothing</option>
              <option value="alternate">In turns</option>
            </Select>
          )}
        </Field>
      )}
      {form.proposer === 'patches' ? (
        <Text {...props} name="patches" label="Folder" placeholder="/path/to/patches" />
      ) : null}
      {form.proposer === 'model' ? <ModelFields {...props} /> : null}
      {form.proposer === 'agent' ? <AgentFields {...props} /> : null}
      {form.proposer === 'command' ? (
        <>
          <Text
            {...props}
            name="command"
            label="Command line"
            hint="Gets the request as JSON on stdin."
            placeholder="./propose.py"
          />
          <Text {...props} name="proposerTimeout" label="May take (seconds)" inputMode="decimal" />
        </>
      ) : null}
      <div className="col-span-2">
        <Switch
          label="Wait for my approval"
          hint="Each proposal is shown to you before it runs: approve, edit, send back or reject it. Can be switched at any time."
          checked={form.asksApproval}
          onChange={asksApproval => onChange({ asksApproval })}
        />
      </div>
    </Part>
  );
}

function AgentFields(props: PartProps) {
  const { form, onChange } = props;
  const found = useCall('agents', () => getClient().proposers.agents());
  const chosen = found.value?.find(({ agent }) => agent === form.agent);
  const state = !chosen
    ? (found.problem ?? 'Looking for agents …')
    : chosen.version === null
      ? 'Not installed on this machine.'
      : `${chosen.version}; ${chosen.isSignedIn ? 'signed in' : 'no sign-in seen (it may be in the keyring)'}.`;
  return (
    <>
      <Field label="Agent" hint={state}>
        {ids => (
          <Select
            {...ids}
            value={form.agent}
            onChange={event => onChange({ agent: event.target.value as SetUpForm['agent'] })}
          >
            {AGENT_NAMES.map(name => {
              const status = found.value?.find(({ agent }) => agent === name);
              return (
                <option key={name} value={name}>
                  {status?.title ?? name}
                  {status && status.version === null ? ' (not installed)' : ''}
                </option>
              );
            })}
          </Select>
        )}
      </Field>
      <Text {...props} name="agentModel" label="Its model" hint="Empty: the agent's own choice." />
      <Text {...props} name="proposerTimeout" label="May take (seconds)" inputMode="decimal" />
    </>
  );
}

const KEY_WORDS: Readonly<Record<SetUpForm['key'], string>> = {
  environment: 'ANTHROPIC_API_KEY of the environment',
  stored: 'The key stored in the desktop app',
  none: 'None: the server needs no key',
};

function ModelFields(props: PartProps) {
  const { form, onChange } = props;
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
        list="models"
        hint={
          list.problem ??
          (list.value
            ? `${list.value.length} models offered; any name may be written.`
            : 'Asking the server …')
        }
      />
      <datalist id="models">
        {list.value?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </datalist>
      <Field label="Effort">
        {ids => (
          <Select
            {...ids}
            value={form.effort}
            onChange={event => onChange({ effort: event.target.value as SetUpForm['effort'] })}
          >
            <option value="">As the model likes</option>
            {EFFORTS.map(effort => (
              <option key={effort} value={effort}>
                {effort}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Key" hint="Sent to the server alone; never to the training, and never written down.">
        {ids => (
          <Select
            {...ids}
            value={form.key}
            onChange={event => onChange({ key: event.target.value as SetUpForm['key'] })}
          >
            {Object.entries(KEY_WORDS)
              .filter(([key]) => key !== 'stored' || isDesktop)
              .map(([key, words]) => (
                <option key={key} value={key}>
                  {words}
                </option>
              ))}
          </Select>
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
      <Text
        {...props}
        name="studyCap"
        label="Cap for the study (US$)"
        hint="No call is made that could pass it. Empty: no cap."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="sittingCap"
        label="Cap for a night (US$)"
        hint="Of one sitting."
        inputMode="decimal"
      />
    </>
  );
}
