import { basename, join } from 'node:path';
import type { UsersAgent } from '../../../user-settings.ts';
import type { Acp, AgentProgram } from '../program.ts';
import { CLAUDE } from './claude.ts';
import { CODEX } from './codex.ts';
import { GEMINI_FACTS, watchGemini } from './gemini.ts';
import { OPENCODE_FACTS } from './opencode.ts';

/** What most have in common. */
const PLAIN = {
  kind: 'acp',
  mode: () => null,
  signsInBy: () => null,
  watch: () => null,
  model: 'option',
  meta: null,
  clientMeta: null,
  countsTurn: false,
} satisfies Omit<Acp, 'argv'>;

/**
 * Claude Code and Codex report failures only to clients that ask for this JetBrains extension. Source: the bridges'
 * sources.
 */
const TELLS_FAILURES = { jetbrains: { air: { version: 1, capabilities: ['sessionFailure'] } } };

/** Observed with gemini 0.61.0. It reports the tokens of the whole turn. */
export const GEMINI_ACP: AgentProgram = {
  ...GEMINI_FACTS,
  title: 'Gemini CLI over ACP',
  how: {
    ...PLAIN,
    argv: ({ model, own }) => [
      ...['--acp', '--skip-trust', '--admin-policy', join(own, 'policy.toml')],
      ...(model === null ? [] : ['-m', model]),
    ],
    ...{ mode: () => 'default', model: null, countsTurn: true, watch: watchGemini },
  },
};

/** Observed with opencode 1.18.33. It reports the tokens of the last step, but the cost of the session. */
export const OPENCODE_ACP: AgentProgram = {
  ...OPENCODE_FACTS,
  title: 'OpenCode over ACP',
  how: {
    ...PLAIN,
    argv: () => ['acp', '--pure'],
  },
};

/** The bridge `@agentclientprotocol/claude-agent-acp`. Observed with 0.101.0. */
export const CLAUDE_ACP: AgentProgram = {
  ...CLAUDE,
  title: 'Claude Code over ACP',
  program: 'claude-agent-acp',
  how: {
    ...PLAIN,
    argv: () => [],
    // By default it lets another model decide what is allowed.
    ...{ mode: () => 'default', countsTurn: true },
    meta: {
      claudeCode: {
        emitRawSDKMessages: [{ type: 'system', subtype: 'api_retry' }],
        options: {
          tools: ['Read', 'Edit', 'Write', 'Glob', 'Grep'],
          disallowedTools: ['Bash', 'WebFetch', 'WebSearch'],
        },
      },
    },
  },
};

/**
 * The bridge `@agentclientprotocol/codex-acp`. Observed with 2.6.0. Only the extension distinguishes a failed turn
 * from an answer.
 */
export const CODEX_ACP: AgentProgram = {
  ...CODEX,
  title: 'Codex over ACP',
  environment: asked => ({
    ...CODEX.environment(asked),
    CODEX_CONFIG: JSON.stringify({ web_search: 'disabled' }),
  }),
  program: 'codex-acp',
  signIn: {
    ...CODEX.signIn,
    how: 'Run "codex login"; a key in CODEX_API_KEY counts in the sandbox only.',
  },
  how: {
    ...PLAIN,
    argv: () => [],
    // Its own sandbox needs namespaces, which it cannot create inside the jail.
    mode: ({ isContained }) => (isContained ? 'agent-full-access' : 'read-only'),
    ...{ clientMeta: TELLS_FAILURES, countsTurn: true },
    // It writes the key into its own folder, which is a copy inside the jail.
    signsInBy: ({ isContained, environment }) =>
      isContained && (environment.CODEX_API_KEY || environment.OPENAI_API_KEY) ? 'api-key' : null,
  },
};

/** An agent from the user's own settings. How it counts tokens is unknown, so none are shown. */
export function usersAgent(name: string, { acp, title, reads }: UsersAgent): AgentProgram {
  const [program, ...args] = acp;
  return {
    title: title ?? `${name} (${basename(program)})`,
    program,
    environment: () => ({}),
    files: {},
    signIn: { files: [], variables: [], how: `Sign in with ${program} itself.`, isNeeded: false },
    folders: [{ path: '', variable: null, renews: [], reads }],
    words: [],
    how: {
      ...PLAIN,
      argv: () => args,
    },
  };
}
