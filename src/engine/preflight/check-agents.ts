import { detectAgents } from '../proposers/agent/detect.ts';
import { programsOf } from '../proposers/agent/programs.ts';
import { readUserSettings } from '../user-settings.ts';
import type { Add } from './training-input.ts';

/** A program that answers later still counts as installed. */
const PATIENCE_MS = 15_000;

/** The agents on this machine that could propose, whether each is signed in as far as can be seen, and how to sign in. */
export async function checkAgents(home: string, environment: NodeJS.ProcessEnv, add: Add): Promise<void> {
  const agents = await detectAgents(programsOf(await readUserSettings(home)), environment, PATIENCE_MS);
  const found = agents.filter(({ isFound }) => isFound);
  if (found.length === 0) add('agents', 'ok', 'none is on the PATH, but none is needed');
  for (const { title, agent, version, isSignedIn, signIn } of found) {
    const told = `--agent ${agent}: ${version ?? 'version unknown'}`;
    if (isSignedIn) add(title, 'ok', `${told}; signed in`);
    else add(title, 'warning', `${told}; no sign-in seen (it may be in the system's keyring). ${signIn}`);
  }
}
