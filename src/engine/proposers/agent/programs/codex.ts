import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asNumber,
  asText,
  type Json,
  parseLine,
  type Sign,
  statusIn,
  uncached,
} from '../program.ts';

/** OpenAI's Codex, `codex exec`. From its help, its sources' strings and observation of 0.171.0. */
export const CODEX: AgentProgram = {
  title: 'Codex',
  program: 'codex',
  // `codex exec` uses only this variable.
  environment: ({ environment }) =>
    environment.CODEX_API_KEY || !environment.OPENAI_API_KEY
      ? {}
      : { CODEX_API_KEY: environment.OPENAI_API_KEY },
  files: {},
  signIn: {
    files: ['.codex/auth.json'],
    variables: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'],
    isInSettings: async readFile =>
      /^\s*model_provider\s*=/m.test((await readFile('.codex/config.toml')) ?? ''),
    how: 'Run "codex login", or set CODEX_API_KEY.',
    isNeeded: false,
  },
  folders: [
    {
      ...{ path: '.codex', variable: { name: 'CODEX_HOME', below: '' } },
      renews: ['auth.json'],
      reads: [
        ...['config.toml', 'AGENTS.md', 'AGENTS.override.md', 'prompts', 'rules', 'skills'],
        'hooks.json',
      ],
    },
  ],
  words: [
    {
      failure: 'quota',
      words: /hit your usage limit|out of (?:usage )?credits|quota exceeded|exceeded your.*quota/i,
    },
    { failure: 'overloaded', words: /experiencing high demand|at capacity/i },
    { failure: 'no_network', words: /waiting for network|failed to lookup address/i },
  ],
  how: {
    kind: 'command_line',
    argv: ({ model, isContained }) => [
      ...['exec', '--json', '--ephemeral', '--skip-git-repo-check'],
      // Its own sandbox needs namespaces, which it cannot create inside the jail.
      ...['--sandbox', isContained ? 'danger-full-access' : 'workspace-write'],
      ...['-c', 'approval_policy="never"', '-c', 'web_search="disabled"'],
      ...['-c', 'sandbox_workspace_write.network_access=false'],
      // It needs no other folder for temporary files.
      ...['-c', 'sandbox_workspace_write.exclude_slash_tmp=true'],
      ...['-c', 'sandbox_workspace_write.exclude_tmpdir_env_var=true'],
      ...(model === null ? [] : ['-m', model]),
      // Reads the prompt from stdin.
      '-',
    ],
    read,
    watch,
  },
};

/** Temporary errors are reported as `error` too; only `turn.failed` is final. `input_tokens` includes cached tokens. */
function read(lines: readonly Json[]): AgentOutput {
  const texts = lines
    .filter(line => line.type === 'item.completed')
    .map(line => asJson(line.item))
    .filter(item => item.type === 'agent_message')
    .map(item => asText(item.text));
  const failed = lines.findLast(line => line.type === 'turn.failed');
  const completed = lines.findLast(line => line.type === 'turn.completed');
  const usage = asJson(completed?.usage);
  const cached = asNumber(usage.cached_input_tokens);
  const error = failed ? asText(asJson(failed.error).message) || 'the turn failed' : null;
  return {
    text: texts.at(-1) ?? '',
    error,
    status: statusIn(error ?? '', STATUS),
    isComplete: completed !== undefined || failed !== undefined,
    usage: {
      input: uncached(asNumber(usage.input_tokens), cached),
      cacheRead: cached,
      cacheWrite: asNumber(usage.cache_write_input_tokens),
      output: asNumber(usage.output_tokens),
    },
    costUsd: null,
  };
}

/** The status is only in the text: "unexpected status 401 Unauthorized: …", "last status: 429 Too Many Requests". */
const STATUS = /\bstatus:? (\d{3})\b/;

/** It tries five times; without a network it then waits without end. */
function watch(text: string): Sign | null {
  const line = parseLine(text);
  if (line?.type !== 'error') return null;
  const message = asText(line.message);
  const found = /^Reconnecting\.\.\. (?:(\d+)\/\d+|waiting for network)/.exec(message);
  if (!found) return null;
  const isEndless = found[1] === undefined;
  return {
    status: statusIn(message, STATUS),
    says: message.slice(0, 300).replace('Reconnecting...', 'connects again:'),
    ...{ isRepeated: isEndless || Number(found[1]) > 1, isEndless },
  };
}
