import { PawlError } from '../../../shared/errors.ts';
import type { AgentName } from '../../../shared/proposers/proposers.ts';
import type { UserSettings } from '../../user-settings.ts';
import type { AgentProgram } from './program.ts';
import { CLAUDE_ACP, CODEX_ACP, GEMINI_ACP, OPENCODE_ACP, usersAgent } from './programs/acp.ts';
import { CLAUDE } from './programs/claude.ts';
import { CLINE } from './programs/cline.ts';
import { CODEX } from './programs/codex.ts';
import { COPILOT } from './programs/copilot.ts';
import { GEMINI } from './programs/gemini.ts';
import { OPENCODE } from './programs/opencode.ts';
import { PI } from './programs/pi.ts';
import { QWEN } from './programs/qwen.ts';

/** One file of facts per program. */
const PROGRAMS: Readonly<Record<AgentName, AgentProgram>> = {
  claude: CLAUDE,
  codex: CODEX,
  gemini: GEMINI,
  opencode: OPENCODE,
  copilot: COPILOT,
  qwen: QWEN,
  pi: PI,
  cline: CLINE,
  'claude-acp': CLAUDE_ACP,
  'codex-acp': CODEX_ACP,
  'gemini-acp': GEMINI_ACP,
  'opencode-acp': OPENCODE_ACP,
};

/** The agents that Pawl knows and those in the user's settings, by name. */
export function programsOf({ agents }: Pick<UserSettings, 'agents'>): Readonly<Record<string, AgentProgram>> {
  const own = Object.entries(agents).map(([name, agent]) => [name, usersAgent(name, agent)] as const);
  return { ...PROGRAMS, ...Object.fromEntries(own) };
}

/** Throws `proposer_invalid` if there is no agent of that name. */
export function requireProgram(name: string, settings: Pick<UserSettings, 'agents'>): AgentProgram {
  const programs = programsOf(settings);
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program) return program;
  throw new PawlError(
    'proposer_invalid',
    `Pawl knows no agent "${name}". It knows ${Object.keys(programs).join(', ')}; add others to settings.toml in the data folder.`,
  );
}
