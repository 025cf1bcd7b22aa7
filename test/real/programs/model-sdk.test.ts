import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { askingSitting } from '../../support/asking-sitting.ts';
import { modelServer } from '../../support/model-of-test.ts';
import type { Reply, Request } from '../../support/model-server.ts';

/** Where `npm run test:real` has installed the SDK. */
const PROGRAMS = process.env.PAWL_REAL_PROGRAMS ?? '';
const PYTHON = join(PROGRAMS, 'bin', 'python');

/** Asks in every way the SDK knows, and prints what came. */
const SCRIPT = `import asyncio, os
import anthropic
params = dict(model=os.environ["PAWL_MODEL"], max_tokens=64, messages=[{"role": "user", "content": "Say it."}])
tools = [{"name": "rate", "input_schema": {"type": "object", "properties": {"n": {"type": "number"}}}}]
client = anthropic.Anthropic()
message = client.messages.create(**params)
print("whole", message.content[0].text, message.stop_reason, message.usage.output_tokens)
with client.messages.stream(**params, system="Streamed.") as stream:
    text = "".join(stream.text_stream)
    final = stream.get_final_message()
print("streamed", text == final.content[-1].text, final.content[0].thinking, final.content[0].signature[:9])
print("events", [event.type for event in client.messages.create(**params, stream=True)][-1])
used = client.messages.create(**params, tools=tools)
print("tool", used.content[0].input, used.stop_reason)
answer = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": used.content[0].id, "content": "done"}]}
later = client.messages.create(**{**params, "messages": [*params["messages"], {"role": "assistant", "content": used.content}, answer]}, tools=tools)
print("later", later.content[0].type)
async def many():
    own = anthropic.AsyncAnthropic()
    asked = [own.messages.create(**{**params, "messages": [{"role": "user", "content": str(n)}]}) for n in range(20)]
    return [message.content[0].text for message in await asyncio.gather(*asked)]
print("many", len(asyncio.run(many())))
for wrong in (dict(model="claude-opus-5-5"), dict(tools=[{"type": "web_search_20250305", "name": "web_search"}])):
    try:
        client.messages.create(**{**params, **wrong})
    except anthropic.APIStatusError as error:
        print(type(error).__name__, error.status_code, error.body["error"]["message"])
print("val_bpb: 1")
`;

const reply = ({ body }: Request): Reply => {
  const { tools, system } = body as { tools?: unknown; system?: unknown };
  const text = { type: 'text', text: 'It is 🙂.' } as const;
  if (tools) return { kind: 'message', blocks: [{ type: 'tool_use', name: 'rate', input: { n: 7 } }] };
  return { kind: 'message', blocks: system ? [{ type: 'thinking', thinking: 'Well.' }, text] : [text] };
};

test.each([
  ['root', 'required'],
  ['user', 'required'],
  ['root', 'off'],
  ['user', 'off'],
] as const)('the Python SDK asks, streams and uses tools (%s, sandbox %s)', async (who, sandbox) => {
  const { stdout } = await promisify(execFile)(PYTHON, [
    '-c',
    'import anthropic; print(anthropic.__version__)',
  ]);
  expect(stdout.trim()).toBe('2.14.0');
  const server = await modelServer(reply);
  const seen = await askingSitting(server, {
    ...{ who, sandbox, files: { 'ask.py': SCRIPT } },
    train: `"${PYTHON}" -B ask.py`,
    reads: [PROGRAMS],
  });
  expect(seen, seen.log).toMatchObject({ stderr: '', verdicts: ['keep baseline'] });
  expect(seen.log.split(/\r?\n/)).toEqual([
    'whole It is 🙂. end_turn 5',
    'streamed True Well. signature',
    'events message_stop',
    "tool {'n': 7} tool_use",
    'later tool_use',
    'many 20',
    expect.stringMatching(
      /^NotFoundError 404 The contract of this study allows only the model claude-haiku-5-5/,
    ),
    expect.stringMatching(/^BadRequestError 400 tools\.0\.type: only tools that the program runs itself/),
    'val_bpb: 1',
    '',
  ]);
});
