import { refuseUntrainable } from '../../preflight/check-training.ts';
import { refuseConstantless } from '../../proposers/search/survey.ts';
import { findCluster } from '../../remote/find-cluster.ts';
import {
  agreeToSetUp,
  hasAgreedToSetUp,
  readSetUp,
  setUpUnagreed,
} from '../../stages/set-up/set-up-consent.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { EngineOptions } from '../engine-options.ts';
import { agree } from './consent.ts';
import { findRefusal } from './containment.ts';
import type { NewStudy, StudyDraft } from './create-study.ts';
import { findPlaces } from './find-places.ts';
import { refuseLanes } from './refuse-lanes.ts';

type Ports = Pick<EngineOptions, 'paths' | 'environment' | 'telemetry'> & { readonly ledger: Ledger };

/**
 * Rejects if the study could not be run here: nothing to search in, no place to train, a training that cannot start, or
 * a consent that the user has not given.
 */
export async function refuseStudy(
  draft: StudyDraft,
  input: NewStudy,
  ports: Ports,
  signal?: AbortSignal,
): Promise<void> {
  const { repository, commit, contract, tree } = draft;
  const { ledger, paths, environment, telemetry } = ports;
  const stop = { ...contract.stop, ...input.stop };
  await refuseConstantless(repository, commit, { proposer: input.proposer, contract, stop });
  const cluster = await findCluster(contract, paths.home);
  const wanted = { lanes: input.lanes ?? [], gpu: input.gpu ?? null };
  const found = await findPlaces(wanted, telemetry, cluster?.lanes ?? null, signal);
  await refuseLanes(contract, found, cluster, paths.home);
  const { places, away } = found;
  const isElsewhere = places.some(({ elsewhere }) => elsewhere !== null) || away.length > 0;
  const study = { repository, commit, contract, tree, paths, environment };
  const trial = await refuseUntrainable({ ...study, isElsewhere });
  if (input.agreesUncontained) ledger.write(() => agree(ledger));
  const refusal = trial.sandbox ? null : findRefusal(contract, input.proposer, trial.why, ports);
  if (refusal) throw refusal;
  await requireSetUpConsent(draft, input.agreesSetUp, ledger);
}

/** Rejects with `setup_unagreed` unless the user agreed to the set-up command, now or before. */
async function requireSetUpConsent(
  { repository, commit, contract }: StudyDraft,
  agreed: string | undefined,
  ledger: Ledger,
): Promise<void> {
  if (contract.setup === null) return;
  const setUp = await readSetUp(repository, commit, contract.setup);
  if (hasAgreedToSetUp(ledger, setUp.digest)) return;
  if (agreed !== setUp.digest) throw setUpUnagreed(setUp);
  ledger.write(() => agreeToSetUp(ledger, setUp.digest));
}
