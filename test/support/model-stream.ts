import type { Anthropic } from '@anthropic-ai/sdk';

/** The events of Anthropic's Messages API, as its stream sends them. */

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string }
  /** `input` may be {@link RawJson}, to send incomplete or invalid JSON. */
  | { readonly type: 'tool_use'; readonly name: string; readonly input: unknown };

type RawJson = { readonly rawJson: string };

/** Tokens; the defaults are 10 in, 5 out and none cached. */
export type Usage = {
  readonly input?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly output?: number;
};

/** How a message ends. */
export type MessageEnd = {
  /** Default: `tool_use` if a block is one, otherwise `end_turn`. */
  readonly stopReason?: string;
  /** The reason of a `refusal`. */
  readonly stopDetails?: Anthropic.RefusalStopDetails | null;
  readonly usage?: Usage;
};

export type StreamEvent = Anthropic.RawMessageStreamEvent | { readonly type: 'ping' } | ErrorBody;

type ErrorBody = {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
};

/** The events before the first block of the answer to request `index`. */
export function opening(index: number, usage: Usage = {}, model: string): readonly StreamEvent[] {
  const message: Anthropic.Message = {
    id: `msg_${index}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: {
      ...inputCounts(usage),
      output_tokens: 1,
      output_tokens_details: null,
      cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite ?? 0, ephemeral_1h_input_tokens: 0 },
      inference_geo: null,
      server_tool_use: null,
      service_tier: 'standard',
      speed: null,
    },
  };
  return [{ type: 'message_start', message }, { type: 'ping' }];
}

/** The events after the last block. */
export function closing(
  blocks: readonly Block[],
  {
    stopReason = blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    stopDetails = null,
    usage = {},
  }: MessageEnd,
): readonly StreamEvent[] {
  return [
    {
      type: 'message_delta',
      delta: {
        // A test may send a reason that the SDK does not know.
        stop_reason: stopReason as Anthropic.StopReason,
        stop_sequence: null,
        stop_details: stopDetails,
        container: null,
      },
      usage: {
        ...inputCounts(usage),
        output_tokens: usage.output ?? 5,
        output_tokens_details: null,
        server_tool_use: null,
      },
    },
    { type: 'message_stop' },
  ];
}

function inputCounts({ input = 10, cacheRead = 0, cacheWrite = 0 }: Usage) {
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
  };
}

/** The events of each block of the answer to a request. */
export function blockEvents(request: number) {
  return (block: Block, index: number): readonly StreamEvent[] => [
    { type: 'content_block_start', index, content_block: emptyBlock(block, `${request}_${index}`) },
    ...deltasOf(block, `${request}_${index}`).map(delta => ({
      ...{ type: 'content_block_delta' as const, index, delta },
    })),
    { type: 'content_block_stop', index },
  ];
}

function emptyBlock(block: Block, id: string): Anthropic.ContentBlock {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '', citations: null };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { type: 'tool_use', id: `toolu_${id}`, name: block.name, input: {}, caller: { type: 'direct' } };
  }
}

function deltasOf(block: Block, id: string): readonly Anthropic.RawContentBlockDelta[] {
  switch (block.type) {
    case 'text':
      return halves(block.text).map(text => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...halves(block.thinking).map(thinking => ({ type: 'thinking_delta' as const, thinking })),
        { type: 'signature_delta', signature: `signature_${id}` },
      ];
    case 'tool_use': {
      // The API begins with an empty piece.
      const pieces = [
        '',
        ...halves(isRawJson(block.input) ? block.input.rawJson : JSON.stringify(block.input)),
      ];
      return pieces.map(partial_json => ({ type: 'input_json_delta', partial_json }));
    }
  }
}

function isRawJson(input: unknown): input is RawJson {
  return (
    typeof input === 'object' && input !== null && 'rawJson' in input && typeof input.rawJson === 'string'
  );
}

/** Two pieces, to catch a client that takes one piece for the whole; no character is split. */
function halves(whole: string): readonly string[] {
  const characters = [...whole];
  const middle = Math.ceil(characters.length / 2);
  return [characters.slice(0, middle).join(''), characters.slice(middle).join('')];
}

export function errorBody(index: number, type: string, message: string): ErrorBody {
  return { type: 'error', error: { type, message }, request_id: requestId(index) };
}

export function requestId(index: number): string {
  return `req_${index}`;
}
