import type { StopRules } from '../../src/shared/contract/stop-rules.ts';
import { type GatedNight, gatedNight } from './gated-night.ts';
import { type Desk, isTraining, openDesk } from './service.ts';
import { TAG } from './study.ts';

/** Its moves are known: the first changes LR. */
export const SEARCH = { kind: 'search', seed: 1, strategy: 'ladder' } as const;

/** Starts a study whose proposer is the search. Resolves to the study. */
export async function startSearch(
  desk: Pick<Desk, 'calls'>,
  path: string,
  stop: StopRules = {},
  tag = TAG,
): Promise<string> {
  return (await desk.calls.studies.start({ path, tag, proposer: SEARCH, stop })).id;
}

/** A study `night` that has just been started; its runs except the baseline's wait until the gate opens. */
export async function gatedDesk(
  stop: StopRules = {},
): Promise<{ readonly night: GatedNight; readonly desk: Desk; readonly study: string }> {
  const night = await gatedNight();
  const desk = await openDesk({ home: night.home, environment: night.env });
  return { night, desk, study: await startSearch(desk, night.repository, stop) };
}

/** {@link gatedDesk} once experiment 1 trains. */
export async function trainingDesk(experiments = 1) {
  const gated = await gatedDesk({ experiments });
  const { card } = await gated.desk.waitFor(isTraining(1));
  return { ...gated, card };
}
