import type { CallOutcome } from '../../src/shared/proposers/model-calls.ts';
import type { RealName } from '../support/agent-recordings.ts';
import { KEY } from './servers/loopback.ts';
import { type Mind, proposing, prose, type Script, type Trouble } from './servers/mind.ts';

/** What is done to a program that waits for an answer. */
type Ending = (typeof ENDING_SIGNALS)[number];
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;

export type Failure = {
  readonly name: string;
  /** What the server does, or why there is none: nothing listens, or its name leads nowhere, as without a network. */
  readonly script: Script | 'no-server' | 'no-name';
  /** There is no key, which the server would see. */
  readonly isSignedOut?: boolean;
  /** In place of what the set-up says. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Sent once the program has asked. */
  readonly ending?: Ending;
  /** To all it has started; to what was started alone where it is left out. */
  readonly isForAll?: true;
  /** What was thought before it was run for the first time. */
  readonly guess: Guess;
};

type Guess = {
  readonly outcome: CallOutcome;
  /** null where it was thought to go on for longer than {@link LIMIT_SECONDS}. */
  readonly exitCode: number | null;
};

/** After it a program that still tries is ended with all it started. */
export const LIMIT_SECONDS = Number(process.env.PAWL_AGENTS_LIMIT_SECONDS || 30);

const EDITS: Mind = proposing('train.sh', [{ old: 'LR=2', new: 'LR=8', hypothesis: 'LR becomes 8' }]);
/** The file it edits is not one that may be edited. */
const OUT_OF_SCOPE: Mind = proposing('prepare.sh', [
  { old: 'echo fixed', new: 'echo mine', hypothesis: 'It says mine' },
]);

type Answer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
};

const status = ({ status: code, body, headers = {} }: Answer): Trouble => ({
  ...{ kind: 'status', status: code, body, headers },
});

/** In the words of each provider. */
const anthropic = (code: number, type: string, message: string, headers = {}) =>
  status({ status: code, headers, body: { type: 'error', error: { type, message } } });
const openai = (code: number, type: string, name: string | null, message: string, more = {}) =>
  status({ status: code, body: { error: { message, type, param: null, code: name, ...more } } });
const google = (code: number, word: string, message: string, details: readonly object[] = []) =>
  status({ status: code, body: { error: { code, message, status: word, details } } });

const QUOTA = 'You exceeded your current quota, please check your plan and billing details.';
const quotaOfGoogle = (quotaId: string, delay: string) => [
  {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaMetric: 'requests', quotaId }],
  },
  { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay },
];

type Case = readonly [
  name: string,
  script: Script,
  outcome: CallOutcome,
  exitCode: number | null,
  environment?: Failure['environment'],
];

const OPENAI = {
  'wrong-key': openai(
    401,
    'invalid_request_error',
    'invalid_api_key',
    'Incorrect API key provided: key-of-nobody.',
  ),
  quota: openai(429, 'insufficient_quota', 'insufficient_quota', QUOTA),
  'rate-limit': openai(
    429,
    'tokens',
    'rate_limit_exceeded',
    'Rate limit reached for this model on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
  ),
  'server-error': openai(
    500,
    'server_error',
    null,
    'The server had an error while processing your request. Sorry about that!',
  ),
  overloaded: openai(
    503,
    'service_unavailable_error',
    'server_is_overloaded',
    'Our servers are currently overloaded. Please try again later.',
  ),
} as const;

/** Of who signed in with a subscription. */
const USAGE_LIMIT = openai(429, 'usage_limit_reached', null, 'The usage limit has been reached', {
  ...{ plan_type: 'plus', resets_in_seconds: 3_600 },
});

const OUTCOMES = {
  ...{ 'wrong-key': 'unauthorized', quota: 'rate_limited', 'usage-limit': 'rate_limited' },
  ...{ 'rate-limit': 'rate_limited', 'server-error': 'server_error', overloaded: 'overloaded' },
} as const satisfies Readonly<Record<string, CallOutcome>>;

function casesOfOpenai(
  exitCodes: Readonly<Partial<Record<keyof typeof OUTCOMES, null>>>,
  scripts: Readonly<Partial<Record<keyof typeof OUTCOMES, Script>>>,
  prefix = '',
): readonly Case[] {
  return (Object.keys(OUTCOMES) as readonly (keyof typeof OUTCOMES)[]).flatMap(name => {
    const script = scripts[name];
    if (!script) return [];
    return [[`${prefix}${name}`, script, OUTCOMES[name], name in exitCodes ? null : 1] as const];
  });
}

function plain<Name extends string>(
  scripts: Readonly<Record<Name, Trouble>>,
): Readonly<Record<Name, Trouble>> {
  const entries = Object.entries<Trouble>(scripts).map(([name, script]) => [
    name,
    { ...script, isPlain: true },
  ]);
  return Object.fromEntries(entries);
}

const OWN: Readonly<Record<RealName, readonly Case[]>> = {
  claude: [
    ['wrong-key', anthropic(401, 'authentication_error', 'invalid x-api-key'), 'unauthorized', null],
    [
      'quota',
      anthropic(
        400,
        'invalid_request_error',
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      ),
      'unauthorized',
      1,
    ],
    [
      'rate-limit',
      anthropic(
        429,
        'rate_limit_error',
        'This request would exceed your organization’s rate limit of 30,000 input tokens per minute.',
        { 'retry-after': '30' },
      ),
      'rate_limited',
      null,
    ],
    [
      'usage-limit',
      anthropic(429, 'rate_limit_error', 'This request would exceed your account’s rate limit.', {
        'anthropic-ratelimit-unified-status': 'rejected',
        'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        'anthropic-ratelimit-unified-reset': '4070908800',
      }),
      'rate_limited',
      1,
      { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: KEY },
    ],
    ['server-error', anthropic(500, 'api_error', 'Internal server error'), 'server_error', null],
    ['overloaded', anthropic(529, 'overloaded_error', 'Overloaded'), 'overloaded', null],
  ],
  codex: [
    ...casesOfOpenai({}, { ...OPENAI, 'usage-limit': USAGE_LIMIT }),
    ['cut-off', { kind: 'refusal', isCut: true }, 'refusal', 1],
    // Through a server that has no sockets, as most others than OpenAI's.
    ...casesOfOpenai({}, plain({ ...OPENAI, 'usage-limit': USAGE_LIMIT }), 'plain-'),
  ],
  gemini: [
    [
      'wrong-key',
      google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ]),
      'unauthorized',
      144,
    ],
    [
      'quota',
      google(
        429,
        'RESOURCE_EXHAUSTED',
        QUOTA,
        quotaOfGoogle('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '36000s'),
      ),
      'rate_limited',
      173,
    ],
    [
      'rate-limit',
      google(
        429,
        'RESOURCE_EXHAUSTED',
        QUOTA,
        quotaOfGoogle('GenerateRequestsPerMinutePerProjectPerModel', '20s'),
      ),
      'rate_limited',
      null,
    ],
    ['server-error', google(500, 'INTERNAL', 'An internal error has occurred.'), 'server_error', null],
    [
      'overloaded',
      google(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
      'overloaded',
      null,
    ],
  ],
  opencode: [...casesOfOpenai({ 'rate-limit': null, 'server-error': null, overloaded: null }, OPENAI)],
};

/** Codes that a program ends with when it is asked to, as guessed. */
const ENDINGS: Readonly<Record<RealName, Readonly<Record<Ending, number | null>>>> = {
  claude: { SIGINT: 0, SIGTERM: 143, SIGKILL: null },
  codex: { SIGINT: 130, SIGTERM: null, SIGKILL: null },
  gemini: { SIGINT: 130, SIGTERM: 0, SIGKILL: null },
  opencode: { SIGINT: 130, SIGTERM: 143, SIGKILL: null },
};

/** Every way in which a program is made to fail, and first how it looks when it does not. */
export function failuresOf(agent: RealName): readonly Failure[] {
  const own = OWN[agent].map(([name, script, outcome, exitCode, environment = {}]) => ({
    ...{ name, script, environment, guess: { outcome, exitCode } },
  }));
  const signedOut: Guess = { outcome: 'unauthorized', exitCode: agent === 'gemini' ? 41 : 1 };
  return [
    { name: 'success', script: EDITS, guess: { outcome: 'ok', exitCode: 0 } },
    { name: 'no-sign-in', script: EDITS, isSignedOut: true, guess: signedOut },
    ...own,
    { name: 'no-network', script: 'no-name', guess: { outcome: 'connection', exitCode: null } },
    { name: 'no-server', script: 'no-server', guess: { outcome: 'connection', exitCode: null } },
    { name: 'refusal', script: { kind: 'refusal' }, guess: { outcome: 'refusal', exitCode: 0 } },
    { name: 'prose', script: prose, guess: { outcome: 'ok', exitCode: 0 } },
    { name: 'out-of-scope', script: OUT_OF_SCOPE, guess: { outcome: 'ok', exitCode: 0 } },
    { name: 'silence', script: { kind: 'silence' }, guess: { outcome: 'timeout', exitCode: null } },
    ...ENDING_SIGNALS.flatMap(ending => {
      const guess: Guess = { outcome: 'timeout', exitCode: ENDINGS[agent][ending] };
      const name = `ended-by-${ending.toLowerCase()}`;
      const own = { script: { kind: 'silence' } as const, ending, guess };
      return [
        { ...own, name },
        { ...own, name: `all-${name}`, isForAll: true as const },
      ];
    }),
  ];
}
