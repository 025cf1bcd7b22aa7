import { createInterface } from 'node:readline/promises';
import { readChannel, saveChannel, viewChannel, withToken } from '../../engine/notify/channel.ts';
import { postTest, previewMessages } from '../../engine/notify/preview.ts';
import { dataPaths } from '../../engine/paths.ts';
import { type Ledger, openLedger } from '../../engine/store/ledger.ts';
import {
  CHANNEL_KINDS,
  type ChannelForm,
  channelSchema,
  NOTICE_KINDS,
  tokenSchema,
} from '../../shared/channel.ts';
import { PawlError } from '../../shared/errors.ts';
import { print } from '../print.ts';

export type NotifyFlags = Partial<Record<(typeof CHANNEL_KINDS)[number], string>> & {
  /** Name of the environment variable that holds the token. */
  readonly tokenEnv?: string;
  readonly events?: readonly string[];
  readonly diff?: boolean;
  readonly log?: boolean;
  readonly yes?: boolean;
  readonly test?: boolean;
  readonly off?: boolean;
};

export async function notify(flags: NotifyFlags): Promise<void> {
  const paths = dataPaths(process.env);
  const ledger = openLedger(paths.ledger);
  const ports = { ledger, paths, environment: process.env, now: Date.now };
  try {
    const kinds = CHANNEL_KINDS.filter(kind => flags[kind] !== undefined);
    if (kinds.length > 1) throw new PawlError('usage', 'Give one of --webhook, --ntfy and --slack.');
    const [kind] = kinds;
    if (kind) {
      const form = readForm(kind, flags);
      const channel = withToken(ledger, form, readToken(flags.tokenEnv));
      for (const preview of await previewMessages(channel, ports)) {
        const headers = Object.entries(preview.headers).map(([name, value]) => `${name}: ${value}`);
        print(
          `${preview.isTold ? '' : '(not sent) '}POST ${preview.url}\n${headers.join('\n')}\n\n${preview.body}\n`,
        );
      }
      const isOn = flags.yes === true || (await agrees());
      ledger.write(() => saveChannel(ledger, { ...channel, isOn }));
      print(
        isOn
          ? 'Switched on. "pawl notify --test" sends a test message.'
          : 'Not switched on; the above is what would be sent. Add --yes to switch it on.',
      );
    } else if (flags.off) {
      const channel = readChannel(ledger);
      if (channel) ledger.write(() => saveChannel(ledger, { ...channel, isOn: false }));
      print('Switched off.');
    } else if (flags.test) {
      const channel = readChannel(ledger);
      if (!channel) throw new PawlError('usage', 'There is no address to send a test to.');
      const outcome = await postTest(channel, ports);
      if (outcome.kind !== 'sent') throw new PawlError('usage', outcome.error);
      print('The test message was taken.');
    } else {
      printState(ledger);
    }
  } finally {
    ledger.close();
  }
}

function readForm(kind: (typeof CHANNEL_KINDS)[number], flags: NotifyFlags): ChannelForm {
  const { events = NOTICE_KINDS } = flags;
  const unknown = events.find(event => !NOTICE_KINDS.some(known => known === event));
  if (unknown !== undefined) {
    throw new PawlError('usage', `There is no event "${unknown}". Known: ${NOTICE_KINDS.join(', ')}.`);
  }
  const found = channelSchema.safeParse({
    ...{ kind, url: flags[kind] },
    tells: Object.fromEntries(NOTICE_KINDS.map(notice => [notice, events.includes(notice)])),
    encloses: { diff: flags.diff ?? false, log: flags.log ?? false },
  });
  if (found.success) return found.data;
  throw new PawlError('usage', found.error.issues[0]?.message ?? 'The address is not valid.');
}

/** A token on the command line could be read by every process of the machine. */
function readToken(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const token = tokenSchema.safeParse(process.env[name]);
  if (token.success) return token.data;
  throw new PawlError('usage', `The environment variable ${name} holds no token.`);
}

async function agrees(): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return false;
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await lines.question('Switch it on? (y/N) ')).trim());
  } finally {
    lines.close();
  }
}

function printState(ledger: Ledger): void {
  const view = viewChannel(ledger);
  if (!view) {
    print('Nothing is sent anywhere. See "pawl notify --help".');
    return;
  }
  const { form, isOn, last, waiting } = view;
  const told = NOTICE_KINDS.filter(kind => form.tells[kind]);
  print(`${form.kind} ${form.url}: ${isOn ? 'on' : 'off'}. Told: ${told.join(', ') || 'nothing'}.`);
  if (last) {
    const at = new Date(last.at).toISOString();
    print(last.isSent ? `Last message sent ${at}.` : `Last message failed ${at}: ${last.error}`);
  }
  if (waiting > 0) print(`${waiting} waiting to be sent.`);
}
