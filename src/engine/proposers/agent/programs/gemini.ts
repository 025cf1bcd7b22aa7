import { join } from 'node:path';
import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asNumber,
  asText,
  type Json,
  type Sign,
} from '../program.ts';

/** Each wait is longer than the one before; five tries take about two minutes. */
const MOST_TRIES = 5;

const POLICY = `[[rule]]
toolName = ["run_shell_command", "web_fetch", "google_web_search", "activate_skill", "invoke_agent"]
decision = "deny"
priority = 999

[[rule]]
toolName = "mcp_*"
decision = "deny"
priority = 999
`;

/** Shared by its command line and its protocol. */
export const GEMINI_FACTS = {
  title: 'Gemini CLI',
  program: 'gemini',
  // Without the first variable it starts itself again, and the second process survives when the first is asked to
  // end.
  environment: () => ({ GEMINI_CLI_NO_RELAUNCH: '1', NO_COLOR: '1' }),
  files: { 'policy.toml': POLICY },
  signIn: {
    files: ['.gemini/oauth_creds.json', '.gemini/gemini-credentials.json'],
    variables: ['GEMINI_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA'],
    how: 'Run "gemini" and sign in, or set GEMINI_API_KEY.',
    isNeeded: false,
  },
  folders: [
    {
      ...{ path: '.gemini', variable: { name: 'GEMINI_CLI_HOME', below: '.gemini' } },
      renews: ['oauth_creds.json', 'gemini-credentials.json'],
      reads: [
        ...['google_accounts.json', 'installation_id', 'trustedFolders.json'],
        ...['settings.json', 'GEMINI.md', 'extensions', 'commands', 'policies', 'skills', '.env'],
      ],
    },
  ],
  words: [
    {
      failure: 'sign_in',
      words:
        /set an auth method|invalid auth method|api key not valid|api_key_invalid|error authenticating|api key is missing/i,
    },
    {
      failure: 'quota',
      words: /exhausted your (?:daily )?(?:quota|capacity)|quota exceeded|exceeded your.*quota|per ?day/i,
    },
    { failure: 'refusal', words: /blocked due to safety/i },
    { failure: 'rate_limit', words: /resource_exhausted|resource has been exhausted/i },
  ],
} satisfies Omit<AgentProgram, 'how'>;

/** Google's Gemini CLI, non-interactive. From its help, its bundle and observation of 0.61.0. */
export const GEMINI: AgentProgram = {
  ...GEMINI_FACTS,
  how: {
    kind: 'command_line',
    argv: ({ model, own }) => [
      ...['--output-format', 'stream-json', '--approval-mode', 'auto_edit', '--skip-trust'],
      ...['--admin-policy', join(own, 'policy.toml')],
      ...(model === null ? [] : ['-m', model]),
    ],
    read,
    watch: watchGemini,
  },
};

/** Text arrives in pieces; `result` is the last line. `input` excludes cached tokens. */
function read(lines: readonly Json[]): AgentOutput {
  const lastTool = lines.findLastIndex(line => line.type === 'tool_result' || line.type === 'tool_use');
  const text = lines
    .slice(lastTool + 1)
    .filter(line => line.type === 'message' && line.role === 'assistant')
    .map(line => asText(line.content))
    .join('');
  const result = lines.findLast(line => line.type === 'result');
  const error = lines.findLast(line => line.type === 'error');
  const stats = asJson(result?.stats);
  const isGood = result?.status === 'success';
  const said = asText(asJson(result?.error).message) || asText(error?.message) || null;
  return {
    text,
    error: isGood ? null : said,
    status: null,
    isComplete: result !== undefined,
    usage: {
      input: asNumber(stats.input) ?? asNumber(stats.input_tokens),
      cacheRead: asNumber(stats.cached),
      cacheWrite: null,
      output: asNumber(stats.output_tokens),
    },
    costUsd: null,
  };
}

/** It retries for as long as the server calls the error temporary, and reports that on stderr. */
export function watchGemini(line: string): Sign | null {
  const found = /^Attempt (\d+) failed(?: with status (\d{3}))?[.:]*\s*(.{0,200})/.exec(line);
  if (!found) return null;
  const attempt = Number(found[1]);
  const status = found[2] === undefined ? null : Number(found[2]);
  return {
    status,
    says: `has tried ${attempt} times${status === null ? '' : `, ${status}`}: ${found[3]}`,
    ...{ isRepeated: attempt > 1, isEndless: attempt >= MOST_TRIES },
  };
}
