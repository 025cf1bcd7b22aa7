import { KeyRound, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Field, TextInput } from '../../ui/field.tsx';

/**
 * The key that the desktop app stores: whether there is one, entering it, and deleting it. The key itself never comes
 * back to the window.
 */
export function KeyField({ onChanged }: { readonly onChanged: () => void }) {
  const [key, setKey] = useState('');
  const { value: status, problem, again } = useCall('key status', () => getClient().keys.status());
  const change = async (work: () => Promise<unknown>, done: string) => {
    if (!(await attempt(work, done))) return;
    setKey('');
    again();
    onChanged();
  };
  if (!status) return <p className="text-muted text-sm">{problem ?? 'Looking for a key …'}</p>;
  if (!status.isAvailable) {
    return <p className="text-muted text-sm">Pawl cannot store a key here: take it from the environment.</p>;
  }
  return (
    <div className="flex flex-col gap-2">
      {status.hasKey ? (
        <p className="flex items-center gap-2 pt-5 text-sm">
          <KeyRound size={15} aria-hidden className="text-keep" />
          <span className="flex-1">A key is stored.</span>
          <Button
            size="small"
            onClick={() => void change(() => getClient().keys.forget(), 'The key was deleted.')}
          >
            Forget it
          </Button>
        </p>
      ) : (
        <Field label="API key">
          {ids => (
            <div className="flex gap-2">
              <TextInput
                {...ids}
                type="password"
                autoComplete="off"
                value={key}
                onChange={event => setKey(event.target.value)}
                className="flex-1"
              />
              <Button
                disabled={key.trim() === ''}
                onClick={() => void change(() => getClient().keys.store({ key }), 'The key was stored.')}
              >
                Store
              </Button>
            </div>
          )}
        </Field>
      )}
      {status.isPlain ? (
        <p role="alert" className="flex gap-2 text-sm text-warn">
          <TriangleAlert size={15} aria-hidden className="mt-0.5 shrink-0" />
          This system has no keyring that Pawl can use: anyone who can read your files can read a stored key.
        </p>
      ) : null}
    </div>
  );
}
