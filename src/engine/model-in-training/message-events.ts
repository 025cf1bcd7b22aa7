import type { ContentBlock, Message } from '@anthropic-ai/sdk/resources/messages';

type Event = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * Splits a whole message into the events of a streamed one, each block in one piece. Source: the Messages API's
 * server-sent events, as the SDKs read them.
 */
export function messageEvents(message: Message): readonly Event[] {
  const { content, stop_reason, stop_sequence, usage } = message;
  return [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, stop_sequence: null },
    },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: opening(block) },
      ...deltas(block).map(delta => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage },
    { type: 'message_stop' },
  ];
}

/** An event as it is written to the wire. */
export function encodeEvent(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A block before its deltas; a block that gets no deltas is whole. */
function opening(block: ContentBlock): object {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

function deltas(block: ContentBlock): readonly object[] {
  if (block.type === 'text') return [{ type: 'text_delta', text: block.text }];
  if (block.type === 'tool_use') {
    return [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input ?? {}) }];
  }
  if (block.type !== 'thinking') return [];
  return [
    { type: 'thinking_delta', thinking: block.thinking },
    { type: 'signature_delta', signature: block.signature },
  ];
}
