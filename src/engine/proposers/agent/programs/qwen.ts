import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asNumber,
  asText,
  type Json,
  NO_OUTPUT,
  statusIn,
  uncached,
} from '../program.ts';

/**
 * Alibaba's Qwen Code. From its help and observation of 0.24.4. It edits any file it can write, so it belongs in the
 * sandbox.
 */
export const QWEN: AgentProgram = {
  title: 'Qwen Code',
  program: 'qwen',
  environment: () => ({ NO_COLOR: '1' }),
  files: {},
  signIn: {
    files: ['.qwen/oauth_creds.json', '.qwen/settings.json'],
    variables: ['OPENAI_API_KEY', 'DASHSCOPE_API_KEY'],
    how: 'Run "qwen" and sign in, or set OPENAI_API_KEY (and OPENAI_BASE_URL).',
    isNeeded: false,
  },
  folders: [
    {
      ...{ path: '.qwen', variable: { name: 'QWEN_HOME', below: '' }, renews: ['oauth_creds.json'] },
      reads: ['settings.json', 'QWEN.md', 'installation_id', '.env'],
    },
  ],
  words: [{ failure: 'sign_in', words: /missing api key|no auth type/i }],
  how: {
    kind: 'command_line',
    argv: ({ model, environment }) => [
      ...['--output-format', 'stream-json', '--approval-mode', 'auto-edit', '--safe-mode'],
      ...['--chat-recording=false', ...(environment.OPENAI_API_KEY ? ['--auth-type', 'openai'] : [])],
      ...['--exclude-tools', 'run_shell_command,web_fetch,web_search,agent,skill'],
      ...(model === null ? [] : ['-m', model]),
    ],
    read,
    // It does not report retries.
    watch: () => null,
  },
};

/** Like Claude Code's output, but `usage` covers the whole run and its input includes cached tokens. */
function read(lines: readonly Json[]): AgentOutput {
  const result = lines.findLast(line => line.type === 'result');
  if (!result) return NO_OUTPUT;
  const usage = asJson(result.usage);
  const cached = asNumber(usage.cache_read_input_tokens);
  const error = asText(asJson(result.error).message);
  return {
    text: asText(result.result),
    error: result.is_error === true ? error || asText(result.subtype) : null,
    status: statusIn(error, /\[API Error: (\d{3})\b/),
    isComplete: true,
    usage: {
      input: uncached(asNumber(usage.input_tokens), cached),
      ...{ cacheRead: cached, cacheWrite: null, output: asNumber(usage.output_tokens) },
    },
    costUsd: null,
  };
}
