import { type Reply, startModelServer } from '../../support/model-server.ts';
import type { Block } from '../../support/model-stream.ts';
import { type Json, KEY, type Loopback } from './loopback.ts';
import type { Move, Script } from './mind.ts';

/** Anthropic's Messages API, with the tools of Claude Code. */
export async function startMessages(script: Script): Promise<Loopback> {
  let count = 0;
  const first = Promise.withResolvers<void>();
  const { url, close } = await startModelServer(({ headers, body }) => {
    count += 1;
    first.resolve();
    if (headers['x-api-key'] !== KEY && headers.authorization !== `Bearer ${KEY}`)
      return { kind: 'error', status: 401 };
    return reply(script, body as Json);
  });
  return { url, close, count: () => count, untilAsked: () => first.promise };
}

function reply(script: Script, body: Json): Reply {
  if (typeof script === 'function') {
    const said = JSON.stringify(body.messages);
    const folder = /working directory: ([^\\"]+)/i.exec(said + JSON.stringify(body.system))?.[1] ?? '.';
    const move = script({ folder, results: resultsOf(body.messages as readonly Message[]) });
    const block = blockOf(move, folder);
    return { kind: 'message', blocks: [searchFor(block, body) ?? block], usage: USAGE };
  }
  switch (script.kind) {
    case 'status': {
      const { status, headers = {} } = script;
      const { type, message } = script.body.error as { readonly type: string; readonly message: string };
      return { kind: 'error', status, type, message, headers };
    }
    case 'silence':
      return { kind: 'hang' };
    case 'refusal':
      return { kind: 'message', blocks: [{ type: 'text', text: '' }], stopReason: 'refusal', usage: USAGE };
  }
}

const USAGE = { input: 300, cacheRead: 2_000, cacheWrite: 100, output: 50 };

type Message = { readonly role: string; readonly content: string | readonly Json[] };

/** The search that has to come before `block`: Claude Code tells the tools of servers by name only, until they are searched for. */
function searchFor(block: Block, { tools }: Json): Block | null {
  const names = (tools as readonly Json[]).map(({ name }) => name);
  if (block.type !== 'tool_use' || !block.name.startsWith('mcp__')) return null;
  if (names.includes(block.name) || !names.includes('ToolSearch')) return null;
  return { type: 'tool_use', name: 'ToolSearch', input: { query: `select:${block.name}` } };
}

function resultsOf(messages: readonly Message[]): readonly string[] {
  return messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .filter(block => block.type === 'tool_result' && !JSON.stringify(block).includes('"tool_reference"'))
    .map(({ content }) =>
      typeof content === 'string' ? content : (content as readonly Json[]).map(part => part.text).join(''),
    );
}

/** Paths are absolute, as the tools want them. */
function blockOf(move: Move, folder: string): Block {
  switch (move.kind) {
    case 'read':
      return { type: 'tool_use', name: 'Read', input: { file_path: `${folder}/${move.path}` } };
    case 'edit': {
      const input = { file_path: `${folder}/${move.path}`, old_string: move.old, new_string: move.new };
      return { type: 'tool_use', name: 'Edit', input };
    }
    case 'call':
      return { type: 'tool_use', name: `mcp__pawl__${move.tool}`, input: move.input };
    case 'say':
      return { type: 'text', text: move.text };
  }
}
