import {
  type AgentOutput,
  type AgentProgram,
  asJson,
  asNumber,
  asText,
  type Json,
  NO_USAGE,
  total,
} from '../program.ts';

const PERMISSION = JSON.stringify({
  '*': 'deny',
  read: 'allow',
  list: 'allow',
  glob: 'allow',
  grep: 'allow',
  edit: 'allow',
  external_directory: 'deny',
});

/** Shared by its command line and its protocol. */
export const OPENCODE_FACTS = {
  title: 'OpenCode',
  program: 'opencode',
  environment: () => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_PROJECT_CONFIG: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_PERMISSION: PERMISSION,
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      share: 'disabled',
      snapshot: false,
      formatter: false,
      lsp: false,
    }),
  }),
  files: {},
  signIn: {
    files: ['.local/share/opencode/auth.json'],
    variables: ['OPENCODE_AUTH_CONTENT'],
    // The user's own server has its key there, or needs none.
    isInSettings: async readFile => {
      const texts = await Promise.all(
        ['opencode.json', 'opencode.jsonc'].map(name => readFile(`.config/opencode/${name}`)),
      );
      return texts.some(text => /"provider"\s*:\s*\{\s*"/.test(text ?? ''));
    },
    how: 'Run "opencode auth login", or name a provider in its opencode.json.',
    // By default it would use its makers' server.
    isNeeded: true,
  },
  folders: [
    {
      ...{ path: '.local/share/opencode', variable: { name: 'XDG_DATA_HOME', below: 'opencode' } },
      ...{ renews: ['auth.json'], reads: ['bin'] },
    },
    // It writes a file for git into this folder at each start, so it gets a copy of the whole folder.
    {
      ...{ path: '.config/opencode', variable: { name: 'XDG_CONFIG_HOME', below: 'opencode' } },
      ...{ renews: [], reads: ['.'] },
    },
  ],
  words: [
    { failure: 'sign_in', words: /providerautherror/i },
    { failure: 'quota', words: /insufficient_quota/i },
    { failure: 'refusal', words: /contentfiltererror/i },
    { failure: 'no_network', words: /cannot connect to api/i },
  ],
} satisfies Omit<AgentProgram, 'how'>;

/** SST's OpenCode, `opencode run`. From its help, its bundle and observation of 1.18.33. */
export const OPENCODE: AgentProgram = {
  ...OPENCODE_FACTS,
  how: {
    kind: 'command_line',
    argv: ({ model }) => [
      ...['run', '--format', 'json', '--title', 'proposal', '--pure'],
      ...(model === null ? [] : ['-m', model]),
    ],
    read,
    watch: () => null,
  },
};

/** There is no final line; tokens and cost are the sums of all steps. */
function read(lines: readonly Json[]): AgentOutput {
  const lastTool = lines.findLastIndex(line => line.type === 'tool_use');
  const text = lines
    .slice(lastTool + 1)
    .filter(line => line.type === 'text')
    .map(line => asText(asJson(line.part).text))
    .join('');
  const error = lines.findLast(line => line.type === 'error');
  const steps = lines.filter(line => line.type === 'step_finish').map(line => asJson(line.part));
  const tokens = steps.map(step => asJson(step.tokens));
  const detail = asJson(error?.error);
  const data = asJson(detail.data);
  return {
    text,
    error: error ? complaintOf(detail, data) : null,
    status: asNumber(data.statusCode),
    isComplete: steps.at(-1)?.reason === 'stop' || error !== undefined,
    usage:
      steps.length === 0
        ? NO_USAGE
        : {
            input: total(tokens.map(part => part.input)),
            cacheRead: total(tokens.map(part => asJson(part.cache).read)),
            cacheWrite: total(tokens.map(part => asJson(part.cache).write)),
            output: total(tokens.map(part => total([part.output, part.reasoning]))),
          },
    costUsd: steps.length === 0 ? null : total(steps.map(step => step.cost)),
  };
}

function complaintOf(detail: Json, data: Json): string {
  const said = asText(data.message) || asText(detail.message);
  // The name may say more than the message; the server's own code is only in its answer.
  const code = /"code"\s*:\s*"(\w{1,60})"/.exec(asText(data.responseBody))?.[1];
  const more = [asText(detail.name), code].filter(Boolean).join(', ');
  return [said, more === '' ? '' : `(${more})`].filter(Boolean).join(' ') || 'it failed';
}
