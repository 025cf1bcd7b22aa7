import { z } from 'zod';
import { type ChannelForm, type ChannelView, channelSchema, tokenSchema } from '../../shared/channel.ts';
import type { Ledger } from '../store/ledger.ts';

/** The ledger's name for this setting. */
const SETTING = 'channel';

const storedSchema = z.strictObject({
  form: channelSchema,
  token: tokenSchema.nullable(),
  isOn: z.boolean(),
});

export type Channel = z.infer<typeof storedSchema>;

/** Null if there is none, or if the stored one is no longer valid. */
export function readChannel(ledger: Ledger): Channel | null {
  const stored = storedSchema.safeParse(ledger.settings.get(SETTING));
  return stored.success ? stored.data : null;
}

/** Call it inside `ledger.write`. */
export function saveChannel(ledger: Ledger, channel: Channel): void {
  ledger.settings.set(SETTING, channel);
}

/** If the form has no token, the stored one is kept, provided that the host is the same. */
export function withToken(ledger: Ledger, form: ChannelForm, token: string | null | undefined): Channel {
  const before = readChannel(ledger);
  const kept = before && new URL(before.form.url).origin === new URL(form.url).origin ? before.token : null;
  return { form, token: token === undefined ? kept : token, isOn: false };
}

/** Without the token, because no window needs it. */
export function viewChannel(ledger: Ledger): ChannelView | null {
  const channel = readChannel(ledger);
  if (!channel) return null;
  const { form, token, isOn } = channel;
  return {
    ...{ form, isOn, hasToken: token !== null },
    ...{ last: ledger.messages.newest(), waiting: ledger.messages.countWaiting() },
  };
}
