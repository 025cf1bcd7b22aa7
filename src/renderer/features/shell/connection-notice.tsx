import { PlugZap, Unplug } from 'lucide-react';
import { useState } from 'react';
import { useStore } from '../../app/store.ts';
import { reconnect } from '../../app/sync.ts';
import type { Host } from '../../host/host.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { TextInput } from '../../ui/field.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';

/** Says that the content may be out of date, and how to reconnect. Hidden while connected. */
export function ConnectionNotice({ host }: { readonly host: Host }) {
  const connection = useStore(state => state.connection);
  if (connection.kind === 'online' || connection.kind === 'connecting') return null;
  if (connection.kind === 'offline') {
    return (
      <div
        role="alert"
        className="flex items-center gap-3 border-line border-b bg-warn-soft px-4 py-2 text-sm text-warn"
      >
        <Unplug size={16} aria-hidden />
        <span className="flex-1">
          Pawl cannot be reached. It was last seen <RelativeTime at={connection.since} />, and the window
          shows how things stood then; a study that was running may still be running.
        </span>
        <Button size="small" onClick={reconnect}>
          Try now
        </Button>
      </div>
    );
  }
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-3 border-line border-b bg-warn-soft px-4 py-2 text-sm text-warn"
    >
      <PlugZap size={16} aria-hidden />
      <span>Pawl was restarted and does not know this window. Paste the address it printed:</span>
      <AddressForm host={host} />
    </div>
  );
}

/** Replaces everything else if Pawl refused this window before it could show anything. */
export function Refusal({ host }: { readonly host: Host }) {
  return (
    <div role="alert" className="w-full max-w-lg">
      <EmptyState icon={<PlugZap size={28} />} title="This window's address is out of date">
        <p className="mb-4">
          Each start has its own address. Paste the one that <code>pawl serve</code> printed last; a running
          study is not affected.
        </p>
        <AddressForm host={host} />
      </EmptyState>
    </div>
  );
}

function AddressForm({ host }: { readonly host: Host }) {
  const [address, setAddress] = useState('');
  const { useAddress: take } = host;
  return (
    <form
      className="flex flex-1 gap-2"
      onSubmit={event => {
        event.preventDefault();
        take?.(address);
        reconnect();
      }}
    >
      <TextInput
        aria-label="Address that pawl serve printed"
        placeholder="http://127.0.0.1:8642/#token=…"
        value={address}
        onChange={event => setAddress(event.target.value)}
        className="min-w-48 flex-1"
      />
      <Button type="submit">Connect</Button>
    </form>
  );
}
