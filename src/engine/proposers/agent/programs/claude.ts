import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asList,
  asNumber,
  asText,
  type Json,
  NO_OUTPUT,
  parseLine,
  type Sign,
  total,
} from '../program.ts';

/** Anthropic's Claude Code, `claude -p`. From its help, its bundle and observation of 2.1.332. */
export const CLAUDE: AgentProgram = {
  title: 'Claude Code',
  program: 'claude',
  environment: () => ({
    CLAUDECODE: undefined,
    DISABLE_AUTOUPDATER: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }),
  files: {},
  signIn: {
    files: ['.claude/.credentials.json'],
    variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    how: 'Run "claude" and then /login, or set ANTHROPIC_API_KEY.',
    isNeeded: false,
  },
  folders: [
    {
      ...{ path: '.claude', variable: { name: 'CLAUDE_CONFIG_DIR', below: '' } },
      renews: ['.credentials.json'],
      reads: [
        ...['settings.json', 'settings.local.json', 'CLAUDE.md', 'commands', 'agents', 'hooks'],
        ...['plugins', 'skills', 'output-styles', 'rules'],
      ],
    },
    {
      ...{ path: '', variable: { name: 'CLAUDE_CONFIG_DIR', below: '' } },
      ...{ renews: [], reads: ['.claude.json'] },
    },
  ],
  words: [
    { failure: 'sign_in', words: /not logged in|run \/login|log ?in expired|invalid api key|token revoked/i },
    { failure: 'refusal', words: /safeguards (?:flagged|stopped)/i },
    { failure: 'quota', words: /credit balance|usage limit reached|you['’]ve hit your/i },
  ],
  how: {
    kind: 'command_line',
    argv: ({ model }) => [
      ...['-p', '--output-format', 'stream-json', '--verbose', '--no-session-persistence'],
      ...['--permission-mode', 'acceptEdits', '--strict-mcp-config', '--disable-slash-commands'],
      ...['--max-turns', '40', ...(model === null ? [] : ['--model', model])],
      // The lists go last, because each takes every following word.
      ...['--tools', 'Read,Edit,Write,Glob,Grep', '--disallowedTools', 'Bash,WebFetch,WebSearch'],
    ],
    read,
    watch,
  },
};

/** `system`, `assistant`, `user` … and one `result` at the end; `modelUsage` counts helpers too, `usage` does not. */
function read(lines: readonly Json[]): AgentOutput {
  const result = lines.findLast(line => line.type === 'result');
  if (!result) return NO_OUTPUT;
  const models = Object.values(asJson(result.modelUsage)).map(asJson);
  const sum = (name: string) => (models.length === 0 ? null : total(models.map(model => model[name])));
  const text = asText(result.result);
  const said = text || asList(result.errors).map(asText).join('; ');
  // `subtype` is "success" even if the sign-in is missing.
  const isError = result.is_error === true;
  return {
    text,
    error: isError ? said || asText(result.subtype) : null,
    status: asNumber(result.api_error_status),
    isComplete: true,
    usage: {
      input: sum('inputTokens'),
      cacheRead: sum('cacheReadInputTokens'),
      cacheWrite: sum('cacheCreationInputTokens'),
      output: sum('outputTokens'),
    },
    costUsd: asNumber(result.total_cost_usd),
  };
}

/** It tries ten times over three minutes, even with a wrong key, and reports each try. */
function watch(text: string): Sign | null {
  return readApiRetry(parseLine(text) ?? {});
}

/** A retry, as reported by its lines and by its bridge's raw messages; null for any other message. */
export function readApiRetry(line: Json): Sign | null {
  if (line.type !== 'system' || line.subtype !== 'api_retry') return null;
  const status = asNumber(line.error_status);
  const attempt = asNumber(line.attempt) ?? 1;
  const after = status ?? (asText(line.error).replaceAll('_', ' ') || 'no answer');
  return {
    status,
    says: `retries after ${after}, ${attempt} of ${line.max_retries}`,
    ...{ isRepeated: attempt > 1, isEndless: false },
  };
}
