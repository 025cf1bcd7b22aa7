import { z } from 'zod';
import type { Notice } from './settings.ts';

/**
 * How to reach the user away from this machine: the user's own address that receives JSON, an ntfy topic, or an
 * incoming webhook of Slack, Mattermost or Discord (with `/slack` at its end).
 */
export const CHANNEL_KINDS = ['webhook', 'ntfy', 'slack'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

export const NOTICE_KINDS = [
  'new_best',
  'study_ended',
  'crashes',
  'attention',
] as const satisfies readonly Notice['kind'][];

/** Names of topics that ntfy accepts: https://docs.ntfy.sh/publish/ */
const TOPIC = /^[-_A-Za-z0-9]{1,64}$/;

const urlSchema = z
  .url({ protocol: /^https?$/, error: 'Write an address that begins with https:// or http://.' })
  .max(2_000)
  .refine(
    url => !/^https?:\/\/[^/?#]*@/i.test(url),
    'Leave name and password out of the address, and give a token instead.',
  );

export const channelSchema = z
  .strictObject({
    kind: z.enum(CHANNEL_KINDS),
    url: urlSchema,
    tells: z.strictObject({
      new_best: z.boolean(),
      study_ended: z.boolean(),
      crashes: z.boolean(),
      attention: z.boolean(),
    }),
    /** What messages include: the diff of a new best, the end of a crash's log. */
    encloses: z.strictObject({ diff: z.boolean(), log: z.boolean() }),
  })
  .refine(
    ({ kind, url }) => kind !== 'ntfy' || TOPIC.test(topicOf(url)),
    'The address of a topic of ntfy ends with its name, as in https://ntfy.sh/my-topic.',
  );

export type ChannelForm = z.infer<typeof channelSchema>;

/** Sent as `Authorization: Bearer`. */
export const tokenSchema = z
  .string()
  .max(500)
  .regex(/^[\x21-\x7e]+$/, 'A token has no spaces and only ASCII characters.');

/** A channel as windows see it. */
export type ChannelView = {
  readonly form: ChannelForm;
  readonly hasToken: boolean;
  readonly isOn: boolean;
  /** The newest message; null before the first. Milliseconds since the epoch. */
  readonly last: { readonly at: number; readonly isSent: boolean; readonly error: string | null } | null;
  /** How many messages wait to be sent. */
  readonly waiting: number;
};

/** The exact text of one message, without the token. */
export type MessagePreview = {
  readonly kind: Notice['kind'];
  readonly isTold: boolean;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export function topicOf(url: string): string {
  return (
    url
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) ?? ''
  );
}
