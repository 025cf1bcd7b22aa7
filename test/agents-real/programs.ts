import type { Installed } from './place.ts';
import { startChatCompletions } from './servers/chat-completions.ts';
import { startGenerateContent } from './servers/generate-content.ts';
import { KEY, type Loopback } from './servers/loopback.ts';
import { startMessages } from './servers/messages.ts';
import type { Script } from './servers/mind.ts';
import { startResponses } from './servers/responses.ts';

/** What a user has done to get an agent to work: keys in variables, settings in files below home. */
type SetUp = {
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
};

export type RealProgram = {
  readonly serve: (script: Script) => Promise<Loopback>;
  /** Signed in to the server at `url`. */
  readonly setUp: (url: string, isContained: boolean) => SetUp;
  /** The same by somebody who never signed in. */
  readonly signedOut: (url: string) => SetUp;
};

const CLAUDE: RealProgram = {
  serve: startMessages,
  setUp: url => ({ environment: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: url }, files: {} }),
  signedOut: url => ({ environment: { ANTHROPIC_BASE_URL: url }, files: {} }),
};

const CODEX: RealProgram = {
  serve: startResponses,
  setUp: url => ({
    environment: { CODEX_API_KEY: KEY },
    files: { '.codex/config.toml': `openai_base_url = "${url}/v1"\n` },
  }),
  signedOut: url => ({
    environment: {},
    files: { '.codex/config.toml': `openai_base_url = "${url}/v1"\n` },
  }),
};

export const REAL_PROGRAMS: Readonly<Record<Installed, RealProgram>> = {
  claude: CLAUDE,
  codex: CODEX,
  'claude-acp': CLAUDE,
  // A key in a variable counts in the sandbox only; see the loop's test of that.
  'codex-acp': {
    ...CODEX,
    setUp: (url, isContained) => {
      const { environment, files } = CODEX.setUp(url, isContained);
      if (isContained) return { environment, files };
      const signIn = JSON.stringify({ auth_mode: 'apikey', OPENAI_API_KEY: KEY });
      return { environment: {}, files: { ...files, '.codex/auth.json': signIn } };
    },
  },
  gemini: {
    serve: startGenerateContent,
    setUp: url => ({
      environment: { GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: url },
      // Without it an address of one's own is taken for a gateway, which `gemini` then refuses.
      files: {
        '.gemini/settings.json': JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }),
      },
    }),
    signedOut: () => ({ environment: {}, files: {} }),
  },
  opencode: {
    serve: startChatCompletions,
    setUp: url => ({
      environment: { LOOPBACK_KEY: KEY },
      files: {
        '.config/opencode/opencode.json': JSON.stringify({
          provider: {
            loopback: {
              npm: '@ai-sdk/openai-compatible',
              options: { baseURL: `${url}/v1`, apiKey: '{env:LOOPBACK_KEY}' },
              models: {
                plain: { limit: { context: 200_000, output: 32_000 }, cost: { input: 1, output: 2 } },
              },
            },
          },
          model: 'loopback/plain',
        }),
      },
    }),
    // It would ask a model of its makers then, which is none of this machine.
    signedOut: url => ({ environment: { HTTP_PROXY: url, HTTPS_PROXY: url }, files: {} }),
  },
};
