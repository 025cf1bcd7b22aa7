import { join } from 'node:path';
import type { AgentName } from '../../../shared/study.ts';
import type { AgentFolder } from '../../sandbox/agent-jail.ts';

/**
 * What Pawl knows of each agent's command line: how it is run once without questions, and how its output is read. From
 * the programs' own help and bundles: Claude Code 2.1, Codex 0.169, Gemini CLI 0.61, OpenCode 1.18.
 */
export type Adapter = {
  readonly title: string;
  readonly program: string;
  /** The prompt goes to stdin. */
  readonly argv: (model: string | null, own: string) => readonly string[];
  /** Added to the user's environment; undefined takes a variable out. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Files it is given in a folder of its own, outside the work. */
  readonly files: Readonly<Record<string, string>>;
  readonly read: (lines: readonly Json[]) => AgentOutput;
  /** Where a sign-in shows: a file below home, or a variable. It may also be in the system's keyring. */
  readonly signIn: { readonly files: readonly string[]; readonly variables: readonly string[] };
  /** Where it keeps its sign-in and its settings. */
  readonly folders: readonly AgentFolder[];
};

export type Json = Readonly<Record<string, unknown>>;

export type AgentOutput = {
  /** Its last words; empty where it said none. */
  readonly text: string;
  /** What it complained of, or null. */
  readonly error: string | null;
  /** Whether it told that it came to its end; an exit code of 0 alone tells nothing. */
  readonly isComplete: boolean;
  readonly usage: {
    readonly input: number | null;
    readonly cacheRead: number | null;
    readonly cacheWrite: number | null;
    readonly output: number | null;
  };
  /** As the agent reckons it; null where it does not. */
  readonly costUsd: number | null;
};

const NO_USAGE = { input: null, cacheRead: null, cacheWrite: null, output: null };

const GEMINI_POLICY = `[[rule]]
toolName = ["run_shell_command", "web_fetch", "google_web_search", "activate_skill", "invoke_agent"]
decision = "deny"
priority = 999

[[rule]]
toolName = "mcp_*"
decision = "deny"
priority = 999
`;

const OPENCODE_PERMISSION = JSON.stringify({
  '*': 'deny',
  read: 'allow',
  list: 'allow',
  glob: 'allow',
  grep: 'allow',
  edit: 'allow',
  external_directory: 'deny',
});

export const ADAPTERS: Readonly<Record<AgentName, Adapter>> = {
  claude: {
    title: 'Claude Code',
    program: 'claude',
    argv: model => [
      ...['-p', '--output-format', 'stream-json', '--verbose', '--no-session-persistence'],
      ...['--permission-mode', 'acceptEdits', '--strict-mcp-config', '--disable-slash-commands'],
      ...['--max-turns', '40', ...(model === null ? [] : ['--model', model])],
      // The lists come last: each takes every word behind it.
      ...['--tools', 'Read,Edit,Write,Glob,Grep', '--disallowedTools', 'Bash,WebFetch,WebSearch'],
    ],
    environment: {
      CLAUDECODE: undefined,
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
    files: {},
    read: readClaude,
    signIn: {
      files: ['.claude/.credentials.json'],
      variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    },
    folders: [
      {
        ...{ path: '.claude', variable: { name: 'CLAUDE_CONFIG_DIR', below: '' }, copies: [] },
        renews: ['.credentials.json'],
        reads: [
          ...['settings.json', 'settings.local.json', 'CLAUDE.md', 'commands', 'agents', 'hooks'],
          ...['plugins', 'skills', 'output-styles', 'rules'],
        ],
      },
      {
        ...{ path: '', variable: { name: 'CLAUDE_CONFIG_DIR', below: '' } },
        ...{ renews: [], copies: ['.claude.json'], reads: [] },
      },
    ],
  },
  codex: {
    title: 'Codex',
    program: 'codex',
    argv: model => [
      ...['exec', '--json', '--ephemeral', '--skip-git-repo-check', '--sandbox', 'workspace-write'],
      ...['-c', 'approval_policy="never"', '-c', 'sandbox_workspace_write.network_access=false'],
      // Other folders for temporary files are none of its business.
      ...['-c', 'sandbox_workspace_write.exclude_slash_tmp=true'],
      ...['-c', 'sandbox_workspace_write.exclude_tmpdir_env_var=true'],
      ...(model === null ? [] : ['-m', model]),
      // The prompt is what comes on stdin.
      '-',
    ],
    environment: {},
    files: {},
    read: readCodex,
    signIn: {
      files: ['.codex/auth.json'],
      variables: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'],
    },
    folders: [
      {
        ...{ path: '.codex', variable: { name: 'CODEX_HOME', below: '' } },
        ...{ renews: ['auth.json'], copies: [] },
        reads: [
          ...['config.toml', 'AGENTS.md', 'AGENTS.override.md', 'prompts', 'rules', 'skills'],
          'hooks.json',
        ],
      },
    ],
  },
  gemini: {
    title: 'Gemini CLI',
    program: 'gemini',
    argv: (model, own) => [
      ...['--output-format', 'stream-json', '--approval-mode', 'auto_edit', '--skip-trust'],
      ...['--admin-policy', join(own, 'policy.toml')],
      ...(model === null ? [] : ['-m', model]),
    ],
    environment: { GEMINI_CLI_NO_RELAUNCH: '1', NO_COLOR: '1' },
    files: { 'policy.toml': GEMINI_POLICY },
    read: readGemini,
    signIn: {
      files: ['.gemini/oauth_creds.json', '.gemini/gemini-credentials.json'],
      variables: ['GEMINI_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA'],
    },
    folders: [
      {
        ...{ path: '.gemini', variable: { name: 'GEMINI_CLI_HOME', below: '.gemini' } },
        renews: ['oauth_creds.json', 'gemini-credentials.json'],
        copies: ['google_accounts.json', 'installation_id', 'trustedFolders.json'],
        reads: ['settings.json', 'GEMINI.md', 'extensions', 'commands', 'policies', 'skills', '.env'],
      },
    ],
  },
  opencode: {
    title: 'OpenCode',
    program: 'opencode',
    argv: model => [
      ...['run', '--format', 'json', '--title', 'proposal', '--pure'],
      ...(model === null ? [] : ['-m', model]),
    ],
    environment: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_PROJECT_CONFIG: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_PERMISSION,
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        share: 'disabled',
        snapshot: false,
        formatter: false,
        lsp: false,
      }),
    },
    files: {},
    read: readOpencode,
    signIn: { files: ['.local/share/opencode/auth.json'], variables: ['OPENCODE_AUTH_CONTENT'] },
    folders: [
      {
        ...{ path: '.local/share/opencode', variable: { name: 'XDG_DATA_HOME', below: 'opencode' } },
        ...{ renews: ['auth.json'], copies: [], reads: ['bin'] },
      },
      {
        ...{ path: '.config', variable: { name: 'XDG_CONFIG_HOME', below: '' } },
        ...{ renews: [], copies: [], reads: ['opencode'] },
      },
    ],
  },
};

/** `system`, `assistant`, `user` … and one `result` at the end; `modelUsage` counts helpers too, `usage` does not. */
function readClaude(lines: readonly Json[]): AgentOutput {
  const result = lines.findLast(line => line.type === 'result');
  if (!result) return { text: '', error: null, isComplete: false, usage: NO_USAGE, costUsd: null };
  const models = Object.values(asJson(result.modelUsage)).map(asJson);
  const sum = (name: string) => (models.length === 0 ? null : total(models.map(model => model[name])));
  const text = asText(result.result);
  const said = text || asList(result.errors).map(asText).join('; ');
  // `subtype` is "success" also for a sign-in that is missing.
  return {
    text,
    error: result.is_error === true ? said || asText(result.subtype) : null,
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

/** Errors on the way are told as `error` too; only `turn.failed` ends. `input_tokens` counts what was cached. */
function readCodex(lines: readonly Json[]): AgentOutput {
  const texts = lines
    .filter(line => line.type === 'item.completed')
    .map(line => asJson(line.item))
    .filter(item => item.type === 'agent_message')
    .map(item => asText(item.text));
  const failed = lines.findLast(line => line.type === 'turn.failed');
  const completed = lines.findLast(line => line.type === 'turn.completed');
  const usage = asJson(completed?.usage);
  const cached = asNumber(usage.cached_input_tokens);
  const all = asNumber(usage.input_tokens);
  return {
    text: texts.at(-1) ?? '',
    error: failed ? asText(asJson(failed.error).message) || 'the turn failed' : null,
    isComplete: completed !== undefined || failed !== undefined,
    usage: {
      input: all === null ? null : all - (cached ?? 0),
      cacheRead: cached,
      cacheWrite: asNumber(usage.cache_write_input_tokens),
      output: asNumber(usage.output_tokens),
    },
    costUsd: null,
  };
}

/** Text comes in pieces; `result` is the end. `input` is what was not cached. */
function readGemini(lines: readonly Json[]): AgentOutput {
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
  return {
    text,
    error: isGood ? null : asText(asJson(result?.error).message) || asText(error?.message) || null,
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

/** There is no last line; tokens and cost are those of all steps. */
function readOpencode(lines: readonly Json[]): AgentOutput {
  const lastTool = lines.findLastIndex(line => line.type === 'tool_use');
  const text = lines
    .slice(lastTool + 1)
    .filter(line => line.type === 'text')
    .map(line => asText(asJson(line.part).text))
    .join('');
  const error = lines.findLast(line => line.type === 'error');
  const steps = lines.filter(line => line.type === 'step_finish').map(line => asJson(line.part));
  const tokens = steps.map(step => asJson(step.tokens));
  const sum = (values: readonly unknown[]) => (steps.length === 0 ? null : total(values));
  const detail = asJson(error?.error);
  return {
    text,
    error: error
      ? asText(asJson(detail.data).message) || asText(detail.message) || asText(detail.name)
      : null,
    isComplete: steps.at(-1)?.reason === 'stop' || error !== undefined,
    usage: {
      input: sum(tokens.map(part => part.input)),
      cacheRead: sum(tokens.map(part => asJson(part.cache).read)),
      cacheWrite: sum(tokens.map(part => asJson(part.cache).write)),
      output: sum(tokens.map(part => total([part.output, part.reasoning]))),
    },
    costUsd: sum(steps.map(step => step.cost)),
  };
}

function total(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (asNumber(value) ?? 0), 0);
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
