import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asNumber,
  asText,
  type Json,
  NO_OUTPUT,
  uncached,
} from '../program.ts';

const TEAM = [
  ...['spawn_teammate', 'shutdown_teammate', 'status', 'task', 'run_task'],
  ...['cancel_run', 'list_runs', 'await_runs', 'send_message', 'broadcast'],
  ...['read_mailbox', 'mission_log', 'cleanup', 'create_outcome', 'attach_outcome_fragment'],
  ...['review_outcome_fragment', 'finalize_outcome', 'list_outcomes'],
];

/** Tools that it does not get: it would run commands without asking, use the web, and start other agents. */
const DISABLED = [
  ...['run_commands', 'fetch_web_content', 'spawn_agent', 'ask_question'],
  ...TEAM.map(name => `team_${name}`),
];

/** Linux accepts no longer argument. */
const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

/**
 * Cline's command line. From its help and observation of 3.0.65. It edits any file it can write, so it belongs in the
 * sandbox.
 */
export const CLINE: AgentProgram = {
  title: 'Cline',
  program: 'cline',
  environment: ({ own }) => ({ CLINE_GLOBAL_SETTINGS_PATH: join(own, 'cline.json') }),
  files: { 'cline.json': JSON.stringify({ disabledTools: DISABLED }) },
  signIn: {
    files: ['.cline/data/settings/providers.json'],
    variables: [],
    how: 'Run "cline auth".',
    // Without a sign-in it waits for its makers' server.
    isNeeded: true,
  },
  folders: [{ path: '.cline/data', variable: null, renews: [], reads: ['settings'] }],
  words: [],
  how: {
    kind: 'command_line',
    argv: ({ model, prompt, environment }) => [
      ...['--json', '--auto-approve', 'true'],
      // With a folder named explicitly, it starts no service that outlives it.
      ...['--data-dir', join(environment.HOME || homedir(), '.cline/data')],
      ...(model === null ? [] : ['-m', model]),
      // It does not read the prompt from stdin.
      cut(prompt),
    ],
    read,
    // It does not report retries.
    watch: () => null,
  },
};

/** Keeps the end, which contains the task. */
function cut(prompt: string): string {
  const bytes = Buffer.from(prompt);
  return bytes.length <= MAX_ARGUMENT_BYTES
    ? prompt
    : bytes.subarray(-MAX_ARGUMENT_BYTES + 4).toString('utf8');
}

/** `run_result` is the last line; a failed run has none, and says why on stderr. Its input includes cached tokens. */
function read(lines: readonly Json[]): AgentOutput {
  const result = lines.findLast(line => line.type === 'run_result');
  const usage = asJson(result?.aggregateUsage);
  const cached = asNumber(usage.cacheReadTokens);
  if (!result) return NO_OUTPUT;
  return {
    text: asText(result.text),
    error: result.finishReason === 'completed' ? null : asText(result.text) || asText(result.finishReason),
    status: null,
    isComplete: true,
    usage: {
      input: uncached(asNumber(usage.inputTokens), cached),
      cacheRead: cached,
      cacheWrite: asNumber(usage.cacheWriteTokens),
      output: asNumber(usage.outputTokens),
    },
    // 0 means that it knows no price.
    costUsd: asNumber(usage.totalCost) || null,
  };
}
