import type { ServerResponse } from 'node:http';
import { type Json, type Loopback, sendEvents, sendJson, startLoopback } from './loopback.ts';
import type { Move, Script } from './mind.ts';

/** OpenAI's chat completions, with the tools of OpenCode. */
export function startChatCompletions(script: Script): Promise<Loopback> {
  let answered = 0;
  return startLoopback(({ path, isSigned, body }, response) => {
    answered += 1;
    if (path !== '/v1/chat/completions') sendJson(response, 404, {});
    else if (!isSigned) sendJson(response, 401, { error: { message: 'There is no key.' } });
    else answer(script, body, response, String(answered));
  });
}

function answer(script: Script, body: Json, response: ServerResponse, id: string): void {
  if (typeof script === 'function') {
    const messages = body.messages as readonly Json[];
    const folder = /working directory: ([^\\"]+)/i.exec(JSON.stringify(messages))?.[1] ?? '.';
    const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
    const move = script({ folder, results });
    sendChoice(response, id, deltaOf(move, folder, id), move.kind === 'say' ? 'stop' : 'tool_calls');
    return;
  }
  switch (script.kind) {
    case 'status':
      sendJson(response, script.status, script.body, script.headers);
      break;
    case 'silence':
      break;
    case 'refusal':
      sendChoice(response, id, { role: 'assistant', content: '' }, 'content_filter');
  }
}

function deltaOf(move: Move, folder: string, id: string): Json {
  const use = (name: string, input: Json) => ({
    role: 'assistant',
    content: null,
    tool_calls: [
      { index: 0, id: `call_${id}`, type: 'function', function: { name, arguments: JSON.stringify(input) } },
    ],
  });
  switch (move.kind) {
    case 'read':
      return use('read', { filePath: `${folder}/${move.path}` });
    case 'edit':
      return use('edit', { filePath: `${folder}/${move.path}`, oldString: move.old, newString: move.new });
    case 'call':
      return use(`pawl_${move.tool}`, move.input);
    case 'say':
      return { role: 'assistant', content: move.text };
  }
}

function sendChoice(response: ServerResponse, id: string, delta: Json, reason: string): void {
  const chunk = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created: 1, model: 'plain' };
  const usage = {
    ...{ prompt_tokens: 2_400, completion_tokens: 50, total_tokens: 2_450 },
    prompt_tokens_details: { cached_tokens: 2_000 },
  };
  sendEvents(response, [
    { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: reason }], usage },
    '[DONE]',
  ]);
}
