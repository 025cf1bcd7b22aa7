import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { askingSitting } from '../../support/asking-sitting.ts';
import { found } from '../../support/contained.ts';
import { modelServer } from '../../support/model-of-test.ts';
import type { Reply, Request } from '../../support/model-server.ts';

const SDK = import.meta.resolve('@anthropic-ai/sdk');
/** Everything the SDK requires lies beside it. */
const PACKAGES = fileURLToPath(SDK).replace(/\/node_modules\/.*/, '/node_modules');

/** Asks in every way the SDK knows, and prints what came. */
const SCRIPT = `import Anthropic from ${JSON.stringify(SDK)};
const print = (...words) => console.log(words.join(' '));
const client = new Anthropic();
const params = { model: process.env.PAWL_MODEL, max_tokens: 64, messages: [{ role: 'user', content: 'Say it.' }] };
const tools = [{ name: 'rate', description: 'Rates.', input_schema: { type: 'object', properties: { n: { type: 'number' } } } }];
const message = await client.messages.create(params);
print('whole', JSON.stringify(message.content), message.stop_reason, message.usage.output_tokens);
const stream = client.messages.stream({ ...params, system: 'Streamed.' });
let text = '';
stream.on('text', piece => { text += piece; });
const final = await stream.finalMessage();
print('streamed', text === final.content[1].text, JSON.stringify(final.content), final.usage.output_tokens);
const used = await client.messages.stream({ ...params, tools }).finalMessage();
print('tool', JSON.stringify(used.content[0].input), used.stop_reason);
const later = await client.messages.create({ ...params, tools, messages: [...params.messages, { role: 'assistant', content: used.content },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: used.content[0].id, content: 'done' }] }] });
print('later', later.content[0].type);
for (const wrong of [{ model: 'claude-opus-5-5' }, { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }]) {
  await client.messages.create({ ...params, ...wrong }).catch(error => print(error.constructor.name, error.status, error.apiMessage));
}
print('val_bpb: 1');
`;

const reply = ({ body }: Request): Reply => {
  const { tools, system } = body as { tools?: unknown; system?: unknown };
  const blocks = [{ type: 'text', text: 'It is 🙂 a "line"\nand another.' } as const];
  if (tools)
    return { kind: 'message', blocks: [{ type: 'tool_use', name: 'rate', input: { n: 7, of: ['é'] } }] };
  if (system) return { kind: 'message', blocks: [{ type: 'thinking', thinking: 'Well.' }, ...blocks] };
  return { kind: 'message', blocks };
};

test.each([
  ...(found.kind === 'none' ? [] : [['root', 'required'] as const, ['user', 'required'] as const]),
  ['root', 'off'] as const,
])('the TypeScript SDK asks, streams and uses tools (%s, sandbox %s)', async (who, sandbox) => {
  const server = await modelServer(reply);
  const node = process.execPath;
  const seen = await askingSitting(server, {
    ...{ who, sandbox, files: { 'ask.mjs': SCRIPT } },
    train: `"${node}" ask.mjs`,
    reads: [PACKAGES, dirname(node)],
  });
  expect(seen, seen.log).toMatchObject({ stderr: '', verdicts: ['keep baseline'] });
  const said = JSON.stringify('It is 🙂 a "line"\nand another.');
  expect(seen.log).toContain(`whole [{"type":"text","text":${said},"citations":null}] end_turn 5\n`);
  expect(seen.log).toContain('streamed true [{"type":"thinking","thinking":"Well.","signature":"signature_');
  expect(seen.log).toContain('tool {"n":7,"of":["é"]} tool_use\n');
  expect(seen.log).toContain('later tool_use\n');
  expect(seen.log).toMatch(
    /NotFoundError 404 The contract of this study allows only the model claude-haiku-5-5/,
  );
  expect(seen.log).toMatch(/BadRequestError 400 tools\.0\.type: only tools that the program runs itself/);
  expect(server.requests).toHaveLength(4);
});
