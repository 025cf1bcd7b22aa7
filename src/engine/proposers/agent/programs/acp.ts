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

/** Claude Code and Codex tell failures only to who asks for this extension of JetBrains'. Source: the bridges' sources. */
const TELLS_FAILURES = { jetbrains: { air: { version: 1, capabilities: ['sessionFailure'] } } };

/** From runs of gemini 0.61.0. It reports the tokens of the whole turn. */
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

/** From runs of opencode 1.18.33. Its tokens are those of the last step, its cost is the session's. */
export const OPENCODE_ACP: AgentProgram = {
  ...OPENCODE_FACTS,
  title: 'OpenCode over ACP',
  how: {
    ...PLAIN,
    argv: () => ['acp', '--pure'],
  },
};

/** The bridge `@agentclientprotocol/claude-agent-acp`. From runs of 0.101.0. */
export const CLAUDE_ACP: AgentProgram = {
  ...CLAUDE,
  title: 'Claude Code over ACP',
  program: 'claude-agent-acp',
  how: {
    ...PLAIN,
    argv: () => [],
    // By itself it lets a further model decide what may be done.
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

/** The bridge `@agentclientprotocol/codex-acp`. From runs of 2.6.0. A failed turn looks like an answer but for the extension. */
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
    // Its own sandbox needs namespaces, which the jail it is in has none of.
    mode: ({ isContained }) => (isContained ? 'agent-full-access' : 'read-only'),
    ...{ clientMeta: TELLS_FAILURES, countsTurn: true },
    // It writes the key into its own folder, which in the jail is a copy.
    signsInBy: ({ isContained, environment }) =>
      isContained && (environment.CODEX_API_KEY || environment.OPENAI_API_KEY) ? 'api-key' : null,
  },
};

/** An agent from the user's own settings. What it counts is unknown, so no tokens are shown. */
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
