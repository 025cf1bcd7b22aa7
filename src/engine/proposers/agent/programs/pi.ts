import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asList,
  asNumber,
  asText,
  type Json,
  NO_USAGE,
  parseLine,
  type Sign,
  statusIn,
  total,
} from '../program.ts';

/**
 * pi, `@earendil-works/pi-coding-agent`. From its help and observation of 1.6.0. It edits any file it can write, so
 * it belongs in the sandbox.
 */
export const PI: AgentProgram = {
  title: 'pi',
  program: 'pi',
  environment: () => ({}),
  files: {},
  signIn: {
    files: ['.pi/agent/auth.json', '.pi/agent/models.json'],
    variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY'],
    how: 'Run "pi" and /login, or set a provider’s key.',
    isNeeded: false,
  },
  folders: [
    {
      ...{ path: '.pi/agent', variable: { name: 'PI_CODING_AGENT_DIR', below: '' }, renews: ['auth.json'] },
      reads: ['models.json', 'settings.json', 'models-store.json', 'SYSTEM.md'],
    },
  ],
  words: [{ failure: 'sign_in', words: /no api key found/i }],
  how: {
    kind: 'command_line',
    argv: ({ model }) => [
      ...['-p', '--mode', 'json', '--no-session', '--tools', 'read,edit,write,grep,find,ls'],
      ...['--no-extensions', '--no-mcp', '--no-skills', '--no-prompt-templates', '--no-context-files'],
      ...['--no-approve', '--offline', ...modelArguments(model)],
    ],
    read,
    watch,
  },
};

/** `provider/model`, or only a model. */
function modelArguments(model: string | null): readonly string[] {
  if (model === null) return [];
  const at = model.indexOf('/');
  return at < 0 ? ['--model', model] : ['--provider', model.slice(0, at), '--model', model.slice(at + 1)];
}

const STATUS = /^(\d{3})\b/;

/** It always exits with 0; its last message says how it ended. Each message has the tokens of its own call. */
function read(lines: readonly Json[]): AgentOutput {
  const messages = lines
    .filter(line => line.type === 'message_end')
    .map(line => asJson(line.message))
    .filter(message => message.role === 'assistant');
  const last = messages.at(-1);
  const calls = messages.map(message => asJson(message.usage));
  const parts = asList(last?.content).map(asJson);
  const error = last?.stopReason === 'error' ? asText(last.errorMessage) || 'it failed' : null;
  return {
    text: parts
      .filter(part => part.type === 'text')
      .map(part => asText(part.text))
      .join(''),
    error,
    status: statusIn(error ?? '', STATUS),
    isComplete: lines.some(line => line.type === 'agent_settled' || line.type === 'agent_end'),
    usage:
      calls.length === 0
        ? NO_USAGE
        : {
            input: total(calls.map(call => call.input)),
            cacheRead: total(calls.map(call => call.cacheRead)),
            cacheWrite: total(calls.map(call => call.cacheWrite)),
            output: total(calls.map(call => call.output)),
          },
    // 0 means that it knows no price.
    costUsd: total(calls.map(call => asJson(call.cost).total)) || null,
  };
}

function watch(text: string): Sign | null {
  const line = parseLine(text);
  if (line?.type !== 'auto_retry_start') return null;
  const said = asText(line.errorMessage).slice(0, 200);
  const attempt = asNumber(line.attempt) ?? 1;
  return {
    status: statusIn(said, STATUS),
    says: `retries, ${attempt} of ${line.maxAttempts}: ${said}`,
    ...{ isRepeated: attempt > 1, isEndless: false },
  };
}
