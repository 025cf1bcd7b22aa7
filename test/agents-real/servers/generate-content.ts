import type { ServerResponse } from 'node:http';
import { type Json, type Loopback, sendEvents, sendJson, startLoopback } from './loopback.ts';
import type { Move, Script, Trouble } from './mind.ts';

/** Google's generateContent and streamGenerateContent, with the tools of Gemini CLI. */
export function startGenerateContent(script: Script): Promise<Loopback> {
  return startLoopback(({ path, isSigned, body }, response) => {
    const [, how] = /:(generateContent|streamGenerateContent|countTokens)$/.exec(path) ?? [];
    if (how === undefined) sendJson(response, 404, {});
    else if (!isSigned) sendJson(response, 403, { error: { code: 403, message: 'There is no key.' } });
    else answer(script, body, how, response);
  });
}

function answer(script: Script, body: Json, how: string, response: ServerResponse): void {
  const isStream = how === 'streamGenerateContent';
  if (typeof script === 'object') fail(script, isStream, response);
  else if (how === 'countTokens') sendJson(response, 200, { totalTokens: 2_400 });
  else if (!isStream) sendJson(response, 200, candidate([{ text: ROUTE }]));
  else {
    const contents = body.contents as readonly Content[];
    const folder = /Workspace Directories:\*\*\\n\s*- ([^\\"]+)/.exec(JSON.stringify(contents))?.[1] ?? '.';
    sendEvents(response, [candidate([partOf(script({ folder, results: resultsOf(contents) }))])]);
  }
}

function fail(trouble: Trouble, isStream: boolean, response: ServerResponse): void {
  switch (trouble.kind) {
    case 'status':
      sendJson(response, trouble.status, trouble.body, trouble.headers);
      break;
    case 'silence':
      break;
    case 'refusal':
      if (isStream) {
        sendEvents(response, [{ ...candidate([]), candidates: [{ index: 0, finishReason: 'SAFETY' }] }]);
      } else sendJson(response, 200, candidate([{ text: ROUTE }]));
  }
}

/** What it asks by itself, before it asks for the work: which model is to do it. */
const ROUTE = JSON.stringify({ complexity_reasoning: 'A small edit.', complexity_score: 10 });

type Content = { readonly parts?: readonly Json[] };

function resultsOf(contents: readonly Content[]): readonly string[] {
  return contents
    .flatMap(({ parts = [] }) => parts)
    .filter(part => part.functionResponse !== undefined)
    .map(part => {
      const { response } = part.functionResponse as { readonly response: Json };
      return String(response.output ?? response.error);
    });
}

function partOf(move: Move): Json {
  switch (move.kind) {
    case 'read':
      return { functionCall: { name: 'read_file', args: { file_path: move.path } } };
    case 'edit': {
      const args = { file_path: move.path, old_string: move.old, new_string: move.new };
      return { functionCall: { name: 'replace', args: { ...args, instruction: 'Raise it.' } } };
    }
    case 'call':
      return { functionCall: { name: `mcp_pawl_${move.tool}`, args: move.input } };
    case 'say':
      return { text: move.text };
  }
}

function candidate(parts: readonly Json[]): Json {
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata: {
      ...{ promptTokenCount: 2_400, cachedContentTokenCount: 2_000, candidatesTokenCount: 40 },
      ...{ thoughtsTokenCount: 10, totalTokenCount: 2_450 },
    },
    modelVersion: 'loopback',
  };
}
