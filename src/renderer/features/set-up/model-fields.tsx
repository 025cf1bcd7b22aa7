import { useId } from 'react';
import { describeRetirement } from '../../../shared/proposers/model-retirements.ts';
import { EFFORTS } from '../../../shared/proposers/proposers.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { SelectField, type SelectOption } from '../../ui/select.tsx';
import { KeyField } from './key-field.tsx';
import { PlannedSpend } from './planned-spend.tsx';
import type { ArmForm } from './set-up-arm.ts';
import { type ArmProps, Text } from './set-up-part.tsx';

const KEYS: readonly SelectOption<ArmForm['key']>[] = [
  { value: 'environment', label: 'ANTHROPIC_API_KEY from the environment' },
  { value: 'stored', label: 'The key stored in the desktop app' },
  { value: 'none', label: 'None: the server needs no key' },
];

/** Chooses the model that proposes, and its server. */
export function ModelFields(props: ArmProps) {
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
      <SelectField
        label="Key"
        hint="Sent only to the server; never to the training or into any record."
        value={form.key}
        options={KEYS.filter(({ value }) => value !== 'stored' || isDesktop)}
        onChange={key => onChange({ key })}
      />
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

/** How hard the model thinks, and what it may cost. */
export function ModelDetails(props: ArmProps) {
  const { form, onChange } = props;
  return (
    <>
      <SelectField
        label="Effort"
        value={form.effort}
        options={[
          { value: '', label: 'As the model likes' },
          ...EFFORTS.map(effort => ({ value: effort, label: effort })),
        ]}
        onChange={effort => onChange({ effort })}
      />
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
