import { useState } from 'react';
import { showOverlay } from '../../app/actions.ts';
import { saveSettings } from '../../app/settings.ts';
import { useStore } from '../../app/store.ts';
import { toast } from '../../app/toast.ts';
import type { Host } from '../../host/host.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Switch, TextField } from '../../ui/field.tsx';
import { SelectField } from '../../ui/select.tsx';
import { NOTICES } from './notices.ts';

export function SettingsDialog({ host, onClose }: { readonly host: Host; readonly onClose: () => void }) {
  const settings = useStore(state => state.settings);
  const info = useStore(state => state.host);
  const { askForNotifications } = host;
  const needsAsking =
    askForNotifications !== null && 'Notification' in window && Notification.permission !== 'granted';
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div className="flex flex-col gap-5">
        <SelectField
          label="Theme"
          value={settings.theme}
          options={[
            { value: 'system', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
          onChange={theme => void saveSettings({ theme })}
        />
        <fieldset className="flex flex-col gap-3">
          <legend className="mb-2 font-medium text-sm">Tell me when</legend>
          {needsAsking ? (
            <p className="flex items-center justify-between gap-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
              The browser does not let Pawl notify you yet.
              <Button
                size="small"
                onClick={async () => {
                  const isAllowed = await askForNotifications();
                  if (!isAllowed)
                    toast.error('The browser blocks notifications; you can change that in its settings.');
                }}
              >
                Allow
              </Button>
            </p>
          ) : null}
          {NOTICES.map(({ kind, label, hint }) => (
            <Switch
              key={kind}
              label={label}
              hint={hint}
              checked={settings.notify[kind]}
              onChange={isOn => void saveSettings({ notify: { [kind]: isOn } })}
            />
          ))}
          <p className="flex items-center justify-between gap-3 text-muted text-sm">
            On your phone or in a chat: ntfy, Slack, a webhook.
            <Button size="small" onClick={() => showOverlay({ name: 'channel' })}>
              Tell me elsewhere …
            </Button>
          </p>
        </fieldset>
        <Electricity />
        <p className="break-words text-muted text-xs">
          Pawl {info?.version}. Ledger, logs and worktrees are in {info?.home}. Pawl itself sends nothing from
          this machine unless you let it tell you elsewhere; a proposer of your choice and the training may.
        </p>
      </div>
    </Dialog>
  );
}

/** The user's electricity price, so that runs can show their cost. */
function Electricity() {
  const { electricity } = useStore(state => state.settings);
  const [price, setPrice] = useState(electricity.price === null ? '' : String(electricity.price));
  const [currency, setCurrency] = useState(electricity.currency);
  const read = (text: string) => (text.trim() === '' ? null : Number(text.replace(',', '.')));
  const isPrice = (value: number | null) => value === null || (value >= 0 && value <= 1_000_000);
  return (
    <fieldset className="grid grid-cols-[minmax(0,1fr)_6rem] gap-3">
      <legend className="mb-2 font-medium text-sm">Electricity</legend>
      <TextField
        label="Price per kWh"
        hint="Leave empty to show energy without its cost."
        problem={isPrice(read(price)) ? null : 'Write a number, or leave it empty.'}
        inputMode="decimal"
        placeholder="0.30"
        value={price}
        onChange={text => {
          setPrice(text);
          const value = read(text);
          if (isPrice(value)) void saveSettings({ electricity: { price: value } });
        }}
      />
      <TextField
        label="Currency"
        maxLength={8}
        value={currency}
        onChange={text => {
          setCurrency(text);
          const name = text.trim();
          if (name !== '') void saveSettings({ electricity: { currency: name } });
        }}
      />
    </fieldset>
  );
}
