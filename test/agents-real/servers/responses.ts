import type { ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { isSigned, type Json, type Loopback, sendEvents, sendJson, startLoopback } from './loopback.ts';
import type { Move, Script } from './mind.ts';

/**
 * OpenAI's Responses API, with the one tool of Codex: a script, from which files are read and patched. As OpenAI's own it
 * is asked over a socket, where each message brings what is new in the conversation, and else by plain requests, each with
 * the whole of it.
 */
export function startResponses(script: Script): Promise<Loopback> {
  let answered = 0;
  return startLoopback(
    ({ method, path, isSigned, body }, response) => {
      // Codex asks for a socket five times where the answer is anything but this.
      if (method !== 'POST') sendJson(response, 426, {});
      else if (path !== '/v1/responses') sendJson(response, 404, {});
      else if (!isSigned) sendJson(response, 401, UNSIGNED);
      else if (typeof script === 'object' && script.kind === 'status') {
        sendJson(response, script.status, script.body, script.headers);
      } else {
        answered += 1;
        sendPlain(response, eventsOf(script, body.input as readonly Json[], answered));
      }
    },
    (server, asked) => {
      const sockets = new WebSocketServer({ noServer: true });
      server.on('upgrade', (request, socket, head) => {
        const refusal = refusalOf(script, isSigned(request));
        if (refusal !== null) {
          socket.end(refusal);
          return;
        }
        sockets.handleUpgrade(request, socket, head, opened => {
          converse(opened, (conversation, isReal) => {
            if (isReal) asked();
            answered += 1;
            return isReal ? eventsOf(script, conversation, answered) : idle(answered);
          });
        });
      });
    },
  );
}

/** What is said in place of opening a socket: a key is looked at before there is one. */
function refusalOf(script: Script, isAllowed: boolean): string | null {
  const trouble = typeof script === 'object' && script.kind === 'status' ? script : null;
  if (trouble?.isPlain) return httpOf('426 Upgrade Required', {});
  if (!isAllowed) return httpOf('401 Unauthorized', UNSIGNED);
  return trouble?.status === 401 ? httpOf('401 Unauthorized', trouble.body) : null;
}

/** In the words of OpenAI's. */
const UNSIGNED = {
  error: { message: 'Missing bearer or basic authentication in header', type: 'invalid_request_error' },
};

function httpOf(line: string, body: Json): string {
  const content = JSON.stringify(body);
  const head = ['content-type: application/json', `content-length: ${Buffer.byteLength(content)}`];
  return [`HTTP/1.1 ${line}`, ...head, 'connection: close', '', content].join('\r\n');
}

/** Null says nothing. */
type Answer = readonly Json[] | null;

function converse(
  socket: WebSocket,
  answer: (conversation: readonly Json[], isReal: boolean) => Answer,
): void {
  const conversation: Json[] = [];
  socket.on('message', data => {
    const asked = JSON.parse(String(data)) as Json;
    conversation.push(...(asked.input as readonly Json[]));
    // What comes first only warms the server up.
    for (const event of answer(conversation, asked.generate !== false) ?? [])
      socket.send(JSON.stringify(event));
  });
}

function sendPlain(response: ServerResponse, events: Answer): void {
  if (events !== null) sendEvents(response, events);
}

function eventsOf(script: Script, input: readonly Json[], answered: number): Answer {
  const id = String(answered);
  if (typeof script === 'function') {
    const folder = /<cwd>([^<]+)<\/cwd>/.exec(JSON.stringify(input))?.[1] ?? '.';
    const said = resultsOf(input);
    const results = said.filter(result => !RUNNING.test(result) && !result.includes(ABSENT));
    const cell = RUNNING.exec(said.at(-1) ?? '')?.[1];
    const item = cell === undefined ? itemOf(script({ folder, results }), id) : untilEnd(cell, id);
    return [...opening(id), ...closing(item, id)];
  }
  switch (script.kind) {
    case 'status':
      return [{ type: 'error', status: script.status, ...script.body }];
    case 'silence':
      return null;
    case 'refusal': {
      if (script.isCut) {
        const details = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
        return [...opening(id), { type: 'response.incomplete', response: { ...responseOf(id), ...details } }];
      }
      const refusal = 'I’m sorry, but I can’t help with that.';
      return [...opening(id), ...closing(message([{ type: 'refusal', refusal }], id), id)];
    }
  }
}

/** What Codex says of a script that takes longer than 30 s; another tool of its waits for the end. */
const RUNNING = /Script running with cell ID (\S+)/;
/** What our scripts say of a tool: Codex asks for the first move before the servers that it starts have told theirs. */
const ABSENT = 'not there yet';

function resultsOf(input: readonly Json[]): readonly string[] {
  return input
    .filter(({ type }) => /_call_output$/.test(String(type)))
    .map(({ output }) =>
      typeof output === 'string' ? output : (output as readonly Json[]).map(part => part.text).join(''),
    );
}

function untilEnd(cell: string, id: string): Json {
  return {
    ...{ type: 'function_call', id: `fc_${id}`, call_id: `call_${id}`, status: 'completed' },
    ...{ name: 'wait', arguments: JSON.stringify({ cell_id: cell }) },
  };
}

function itemOf(move: Move, id: string): Json {
  const run = (code: string) => ({
    ...{ type: 'custom_tool_call', id: `ctc_${id}`, call_id: `call_${id}`, status: 'completed' },
    ...{ name: 'exec', input: `text(${code});` },
  });
  switch (move.kind) {
    case 'read':
      return run(`(await tools.exec_command(${JSON.stringify({ cmd: `cat ${move.path}` })})).output`);
    case 'edit': {
      const lines = ['*** Begin Patch', `*** Update File: ${move.path}`, '@@'];
      const patch = [...lines, `-${move.old}`, `+${move.new}`, '*** End Patch', ''].join('\n');
      return run(`await tools.apply_patch(${JSON.stringify(patch)})`);
    }
    case 'call': {
      const name = `tools.mcp__pawl__${move.tool}`;
      const called = `JSON.stringify(await ${name}(${JSON.stringify(move.input)}))`;
      const absent = `(await new Promise(resolve => setTimeout(resolve, 200)), '${ABSENT}')`;
      return run(`${name} ? ${called} : ${absent}`);
    }
    case 'say':
      return message([{ type: 'output_text', text: move.text, annotations: [] }], id);
  }
}

function message(content: readonly Json[], id: string): Json {
  return { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content };
}

const responseOf = (id: string) => ({
  id: `resp_${id}`,
  object: 'response',
  created_at: 1,
  model: 'loopback',
});

function opening(id: string): readonly Json[] {
  return [{ type: 'response.created', response: { ...responseOf(id), status: 'in_progress', output: [] } }];
}

function closing(item: Json, id: string): readonly Json[] {
  const usage = {
    ...{ input_tokens: 2_400, input_tokens_details: { cached_tokens: 2_000 }, output_tokens: 50 },
    ...{ output_tokens_details: { reasoning_tokens: 10 }, total_tokens: 2_450 },
  };
  return [
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
    { type: 'response.output_item.done', output_index: 0, item },
    {
      type: 'response.completed',
      response: { ...responseOf(id), status: 'completed', output: [item], usage },
    },
  ];
}

/** To what asks for nothing. */
function idle(answered: number): readonly Json[] {
  const id = String(answered);
  const response = { ...responseOf(id), status: 'completed', output: [] };
  return [...opening(id), { type: 'response.completed', response }];
}
