import { useState } from 'react';
import { formatDuration } from '../../../shared/numbers.ts';
import type { AgentStatus, AgentTrial } from '../../../shared/proposers/proposer-calls.ts';
import { explain } from '../../app/explain.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField } from '../../ui/select.tsx';
import type { ArmForm } from './set-up-arm.ts';
import type { ArmProps } from './set-up-part.tsx';

/** Chooses the agent, shows whether it is installed, and offers a trial. */
export function AgentFields(props: ArmProps) {
  const { form, onChange } = props;
  const first = useCall('agents', () => getClient().proposers.agents({ isPatient: false }));
  // Some agents take long to report their version, so the form does not wait for that.
  const whole = useCall('agents, all of it', () => getClient().proposers.agents({ isPatient: true }));
  const agents = whole.value ?? first.value;
  const chosen = agents?.find(({ agent }) => agent === form.agent);
  return (
    <>
      <SelectField
        label="Agent"
        hint={chosen ? describeAgent(chosen) : (first.problem ?? 'Looking for agents …')}
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
      <AgentTrialButton
        key={`${form.agent} ${form.agentModel}`}
        form={form}
        isFound={chosen?.isFound === true}
      />
    </>
  );
}

/** Asks for one harmless proposal, to see whether the agent works and how long it takes. */
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
    <div className="col-span-2 flex items-center gap-3">
      <Button size="small" disabled={!isFound || trial === 'asking'} onClick={() => void ask()}>
        {trial === 'asking' ? 'Asking it …' : 'Try it'}
      </Button>
      <p role="status" className="min-w-0 flex-1 break-words text-muted text-xs">
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
