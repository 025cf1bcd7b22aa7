import { z } from 'zod';
import type { CallParams } from '../proposers/model/caller.ts';

/** The largest accepted body, in bytes. */
export const MAX_QUESTION_BYTES = 4 * 1024 ** 2;
const MAX_TOKENS = 64_000;
const MAX_DEPTH = 64;
/** Messages, blocks, fields and their contents: each invalid one would produce an error. */
const MAX_VALUES = 20_000;
/** What an image may cost beyond its bytes, and what tools add, in bytes of text. */
const IMAGE_BYTES = 10_000;
const TOOLS_BYTES = 4_000;

export type Question = {
  readonly params: CallParams;
  readonly isStreamed: boolean;
  /** See `Caller.call`. */
  readonly hiddenBytes: number;
};

/** A refusal in the API's own terms. */
export type Refusal = {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  /** Whether the same question is worth asking again soon. */
  readonly isPassing?: boolean;
};

// One hour in the cache costs more than Pawl reckons with.
const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.literal('5m').nullish() })
  .nullish();
const text = z.object({ type: z.literal('text'), text: z.string(), cache_control: cacheControl });
/** Nothing is fetched, and nothing refers to a file on the server: everything asked is in the question. */
const image = z.object({
  type: z.literal('image'),
  source: z.strictObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
  cache_control: cacheControl,
});
const result = z.object({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image]))]).optional(),
  is_error: z.boolean().nullish(),
  cache_control: cacheControl,
});
const block = z.discriminatedUnion('type', [
  text,
  image,
  result,
  z.object({
    ...{ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() },
    cache_control: cacheControl,
  }),
  z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
]);
const schema = z.record(z.string(), z.unknown());
/** Only tools that the program runs itself: the server's own tools would search, fetch and execute. */
const tool = z.strictObject({
  type: z.literal('custom', 'only tools that the program runs itself can be used').nullish(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: schema,
  cache_control: cacheControl,
  strict: z.boolean().nullish(),
  input_examples: z.array(schema).optional(),
});
const questionSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.number().int().min(1).max(MAX_TOKENS),
  messages: z
    .array(z.object({ role: z.enum(['user', 'assistant']), content: z.union([z.string(), z.array(block)]) }))
    .min(1),
  system: z.union([z.string(), z.array(text)]).optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  tools: z.array(tool).max(128).optional(),
  tool_choice: z
    .strictObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: z.string().optional(),
      disable_parallel_tool_use: z.boolean().optional(),
    })
    .optional(),
  thinking: z
    .strictObject({
      type: z.enum(['enabled', 'disabled', 'adaptive']),
      budget_tokens: z.number().int().optional(),
      display: z.enum(['summarized', 'omitted']).nullish(),
    })
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z.strictObject({ type: z.literal('json_schema'), schema }).nullish(),
    })
    .optional(),
  cache_control: cacheControl,
});

/**
 * Reads the body of a call to the Messages API. Unknown fields are refused, because a future one might reach the
 * network.
 * @param model the only one that may be asked
 */
export function readQuestion(body: string, model: string): Question | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return refuse('The body is not JSON.');
  }
  const excess = describeExcess(value);
  if (excess !== null) return refuse(excess);
  const read = questionSchema.safeParse(value);
  if (!read.success) return refuse(describe(read.error));
  const { model: asked, stream, ...params } = read.data;
  if (asked !== model) {
    const message = `The contract of this study allows only the model ${model}, not "${asked.slice(0, 100)}".`;
    return { status: 404, type: 'not_found_error', message };
  }
  const images = params.messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .flatMap(part => [
      part,
      ...(part.type === 'tool_result' && Array.isArray(part.content) ? part.content : []),
    ])
    .filter(({ type }) => type === 'image').length;
  return {
    // The API's types name each model's own limits; the server checks those.
    params: params as CallParams,
    isStreamed: stream === true,
    hiddenBytes: images * IMAGE_BYTES + (params.tools?.length ? TOOLS_BYTES : 0),
  };
}

function refuse(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message };
}

/** The first error, with its place. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'The question cannot be read.';
  const place = issue.path.join('.') || 'question';
  if (issue.code === 'unrecognized_keys') {
    return `${place}: "${issue.keys[0]?.slice(0, 100)}" is not supported by Pawl.`;
  }
  if (issue.code === 'invalid_union' && issue.errors.length === 0) {
    return `${place}: this kind of content or tool is not supported by Pawl.`;
  }
  return `${place}: ${issue.message}`.slice(0, 500);
}

/** Why a body is too large to be checked more closely; null if it is not. */
function describeExcess(body: unknown): string | null {
  let count = 0;
  const look = (value: unknown, depth: number): string | null => {
    count += 1;
    if (count > MAX_VALUES) return `The body contains more than ${MAX_VALUES} values.`;
    if (typeof value !== 'object' || value === null) return null;
    if (depth === MAX_DEPTH) return `The body is nested more than ${MAX_DEPTH} deep.`;
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      const excess = look(inner, depth + 1);
      if (excess !== null) return excess;
    }
    return null;
  };
  return look(body, 0);
}
