/** A study's proposer, with everything needed to start it the same way again. */
export type ProposerSettings =
  | SearchSettings
  | { readonly kind: 'command'; readonly command: string; readonly timeoutSeconds: number }
  | { readonly kind: 'patches'; readonly folder: string }
  | ModelSettings
  | AgentSettings
  | RouteSettings;

export const SEARCH_STRATEGIES = ['gaussian-process', 'ladder'] as const;
type SearchStrategy = (typeof SEARCH_STRATEGIES)[number];
/** Of new studies. */
export const DEFAULT_STRATEGY: SearchStrategy = 'gaussian-process';

/** Changes constants; docs/search.md explains how. */
export type SearchSettings = {
  readonly kind: 'search';
  readonly seed: number;
  /** Absent in studies that began when the ladder was the only strategy. */
  readonly strategy?: SearchStrategy | undefined;
};

export const AGENT_NAMES = [
  ...(['claude', 'codex', 'gemini', 'opencode', 'copilot', 'qwen', 'pi', 'cline'] as const),
  ...(['claude-acp', 'codex-acp', 'gemini-acp', 'opencode-acp'] as const),
] as const;
export type AgentName = (typeof AGENT_NAMES)[number];

/** An installed command-line agent, signed in as the user. */
export type AgentSettings = {
  readonly kind: 'agent';
  /** One of {@link AGENT_NAMES}, or of the user's settings. */
  readonly agent: string;
  /** Null leaves the choice to the agent. */
  readonly model: string | null;
  readonly timeoutSeconds: number;
};

/** Several proposers in one study. */
export type RouteSettings = {
  readonly kind: 'route';
  /**
   * `fallback` asks the first one that has something; `alternate` gives each its turn, so that they can be compared;
   * `stand_in` asks those after the first only while that one cannot propose: it is not signed in, its server is
   * down, or it failed repeatedly.
   */
  readonly mode: 'fallback' | 'alternate' | 'stand_in';
  readonly arms: readonly ArmSettings[];
};

export type ArmSettings = Exclude<ProposerSettings, RouteSettings>;

/** The proposers of a study, one or several. */
export function armsOf(settings: ProposerSettings): readonly ArmSettings[] {
  return settings.kind === 'route' ? settings.arms : [settings];
}

/** The models among the proposers. */
export function modelArms(settings: ProposerSettings): readonly ModelSettings[] {
  return armsOf(settings).filter(arm => arm.kind === 'model');
}

/** The proposer's name in the ledger and in comparisons. */
export function proposerLabel(settings: ProposerSettings): string {
  if (settings.kind === 'model') return `model ${settings.model}`;
  if (settings.kind === 'agent')
    return `${settings.agent}${settings.model === null ? '' : ` ${settings.model}`}`;
  if (settings.kind === 'search')
    return settings.strategy === 'gaussian-process' ? 'search by Gaussian process' : 'search';
  if (settings.kind !== 'route') return settings.kind;
  const { arms, mode } = settings;
  return (mode === 'stand_in' ? arms.slice(0, 1) : arms).map(proposerLabel).join(', ');
}

/** Whether a proposer can read words: a steering note, or an idea without an edit. */
export function canRead(settings: ProposerSettings): boolean {
  return settings.kind === 'route'
    ? settings.arms.some(canRead)
    : settings.kind !== 'search' && settings.kind !== 'patches';
}

/** How hard a model should think; each model has its own default. */
export const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/** A language model behind a server that speaks Anthropic's Messages API. */
export type ModelSettings = {
  readonly kind: 'model';
  readonly model: string;
  /** Null leaves it to the model; servers other than Anthropic's may not support it. */
  readonly effort: (typeof EFFORTS)[number] | null;
  /** Without `/v1`; null is Anthropic's own server. */
  readonly baseUrl: string | null;
  /** Where the key comes from: `ANTHROPIC_API_KEY`, the desktop's key store, or no key at all. */
  readonly key: 'environment' | 'stored' | 'none';
  /** A call that could exceed one of these is not made; null is no limit. US dollars. */
  readonly capUsd: { readonly study: number | null; readonly sitting: number | null };
};
