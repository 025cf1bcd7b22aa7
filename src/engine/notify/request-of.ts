import { topicOf } from '../../shared/channel.ts';
import { VERSION } from '../../shared/version.ts';
import type { Channel } from './channel.ts';
import type { Message } from './message.ts';

export type MessageRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** ntfy turns a longer text into an attachment: https://docs.ntfy.sh/config/#message-limits */
const NTFY_BYTES = 4_000;
/** Slack cuts a text at 40,000 characters and advises far less: https://docs.slack.dev/reference/methods/chat.postMessage */
const SLACK_CHARACTERS = 8_000;

/** The HTTP request that posts a message. */
export function requestOf(
  { form, token }: Pick<Channel, 'form' | 'token'>,
  message: Message,
): MessageRequest {
  const headers = {
    'content-type': 'application/json',
    'user-agent': `pawl/${VERSION}`,
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const write = (value: unknown) => JSON.stringify(value, null, 2);
  switch (form.kind) {
    case 'webhook':
      return { url: form.url, headers, body: write({ app: 'pawl', version: 1, ...message }) };
    case 'ntfy': {
      const topic = topicOf(form.url);
      const isUrgent = message.kind === 'attention' || message.kind === 'crashes';
      const text = cutBytes(textOf(message), NTFY_BYTES);
      // JSON goes to the server's root: https://docs.ntfy.sh/publish/#publish-as-json
      const url = form.url.slice(0, form.url.lastIndexOf(`/${topic}`) + 1);
      const content = { topic, title: message.title, message: text, priority: isUrgent ? 4 : 3 };
      return { url, headers, body: write(content) };
    }
    case 'slack': {
      const text = `${message.title}\n${textOf(message)}`.slice(0, SLACK_CHARACTERS);
      // Without it Slack would interpret markup; other services ignore the field.
      return { url: form.url, headers, body: write({ text: harmless(text), mrkdwn: false }) };
    }
  }
}

function textOf({ body, debrief, heldBack, diff, log }: Message): string {
  const lines = (debrief?.sentences ?? []).map(sentence => `• ${sentence}`);
  return [
    body,
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    ...(heldBack > 0 ? [heldBackText(heldBack)] : []),
    ...(log === null ? [] : [log]),
    ...(diff === null ? [] : [diff]),
  ].join('\n\n');
}

function heldBackText(count: number): string {
  return `${count} earlier ${count === 1 ? 'message was' : 'messages were'} not sent, because there were too many.`;
}

/** A model's text must not mention anyone or contain links: https://docs.slack.dev/messaging/formatting-message-text */
function harmless(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll(/@(?=\w)/g, '@\u200b')
      // Mattermost and Discord interpret Markdown in any case.
      .replaceAll('](', ']\u200b(')
  );
}

/** Cuts to at most this many bytes of UTF-8, at a character's boundary. */
function cutBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  return `${whole
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '')}…`;
}
