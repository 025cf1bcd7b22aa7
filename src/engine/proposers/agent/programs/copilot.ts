import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asList,
  asNumber,
  asText,
  type Json,
  NO_USAGE,
  parseLine,
  type Sign,
} from '../program.ts';

/**
 * GitHub's Copilot CLI. From its help and observation of 1.0.102 with the user's own server
 * (`COPILOT_PROVIDER_BASE_URL`).
 */
export const COPILOT: AgentProgram = {
  title: 'GitHub Copilot CLI',
  program: 'copilot',
  environment: () => ({}),
  files: {},
  signIn: {
    files: ['.copilot/config.json'],
    variables: ['COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN', 'COPILOT_PROVIDER_BASE_URL'],
    how: 'Run "copilot login", or set COPILOT_PROVIDER_BASE_URL to your own server.',
    isNeeded: false,
  },
  folders: [
    {
      path: '.copilot',
      variable: { name: 'COPILOT_HOME', below: '' },
      renews: [],
      reads: ['.'],
    },
    // It unpacks itself there at its first start.
    {
      path: '.cache/copilot',
      variable: { name: 'XDG_CACHE_HOME', below: 'copilot' },
      renews: [],
      reads: ['.'],
    },
  ],
  words: [
    {
      failure: 'sign_in',
      words: /no authentication information|could not be validated|transient_auth_error/i,
    },
    { failure: 'no_network', words: /could not connect|transport/i },
  ],
  how: {
    kind: 'command_line',
    argv: ({ model }) => [
      ...['--output-format', 'json', '--stream', 'off'],
      ...['--available-tools', 'view,edit,create,glob,grep,apply_patch', '--allow-tool', 'write'],
      ...['--disallow-temp-dir', '--no-ask-user', '--no-custom-instructions', '--disable-builtin-mcps'],
      ...['--no-auto-update', '--no-color', ...(model === null ? [] : ['--model', model])],
    ],
    read,
    watch,
  },
};

/** `result` is the last line; no line reports tokens. */
function read(lines: readonly Json[]): AgentOutput {
  const said = lines.filter(line => line.type === 'assistant.message').map(line => asJson(line.data));
  const answer = said.findLast(message => asList(message.toolRequests).length === 0);
  const failed = lines.findLast(line => line.type === 'session.error');
  const error = asJson(failed?.data);
  return {
    text: asText(answer?.content),
    error: failed ? asText(error.message) || asText(error.errorType) || 'it failed' : null,
    status: asNumber(error.statusCode),
    isComplete: lines.some(line => line.type === 'result'),
    ...{ usage: NO_USAGE, costUsd: null },
  };
}

/** It retries a rate limit for as long as it lasts. */
const MOST_TRIES = 5;

function watch(text: string): Sign | null {
  const line = parseLine(text);
  if (line?.type !== 'model.call_failure') return null;
  const { statusCode, failureKind, retryAttempt } = asJson(line.data);
  const status = asNumber(statusCode);
  const tries = (asNumber(retryAttempt) ?? 0) + 1;
  return {
    status,
    says: `has tried ${tries} times: ${status ?? asText(failureKind)}`,
    ...{ isRepeated: tries > 1, isEndless: tries >= MOST_TRIES },
  };
}
