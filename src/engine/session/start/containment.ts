import type { Contract } from '../../../shared/contract/contract.ts';
import type { PawlError } from '../../../shared/errors.ts';
import type { ProposerSettings } from '../../../shared/proposers/proposers.ts';
import type { Study } from '../../../shared/study.ts';
import type { Repository } from '../../git/repository.ts';
import type { DataPaths } from '../../paths.ts';
import { readCommitFiles, tryContainment } from '../../sandbox/contain.ts';
import { sandboxMode } from '../../sandbox/find-sandbox.ts';
import type { SittingSandbox } from '../../stages/train/surroundings.ts';
import type { Ledger } from '../../store/ledger.ts';
import { hasAgreed, refuseUncontained, sandboxMissing } from './consent.ts';

type Ports = {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
};

/** The sandbox of a sitting; `why` says what is missing if there should be one and is not. */
export type Containment = {
  readonly sandbox: SittingSandbox | null;
  readonly why: string | null;
  /** The folders that the repository calls its data. */
  readonly namedData: readonly string[];
};

/** The sandbox for the study's trainings. Rejects if there is none and the user has not agreed. */
export async function findContainment(
  { contract, baseCommit, proposer }: Study,
  repository: Repository,
  ports: Ports,
): Promise<Containment> {
  const { environment, paths } = ports;
  const isOff = sandboxMode(contract, environment) === 'off';
  const trial = isOff
    ? null
    : await tryContainment({
        ...{ contract, repository, paths, userEnvironment: environment },
        ...(await readCommitFiles(repository, baseCommit)),
      });
  const { sandbox, why, namedData } = trial ?? { sandbox: null, why: null, namedData: [] };
  const refuse = (fault: string | null) => findRefusal(contract, proposer, fault, ports);
  const refusal = sandbox ? null : refuse(why);
  if (refusal) throw refusal;
  return { sandbox: sandbox && { ...sandbox, refuse, isWorking: null }, why, namedData };
}

/**
 * Why a study may not run without a sandbox; null if it may.
 * @param why there is none; null if none is wanted
 */
export function findRefusal(
  contract: Contract,
  proposer: ProposerSettings,
  why: string | null,
  { ledger, environment }: Pick<Ports, 'ledger' | 'environment'>,
): PawlError | null {
  const isAgreed = environment.PAWL_SANDBOX === 'off' || hasAgreed(ledger);
  const mode = sandboxMode(contract, environment);
  // Hidden data stays hidden even if a part of the sandbox fails.
  const hides = mode === 'preferred' && contract.score !== null && contract.score.reads.length > 0;
  if (hides) return sandboxMissing(`score.reads names data that only a sandbox hides. ${why ?? ''}`);
  return refuseUncontained(mode, proposer, why, isAgreed);
}
