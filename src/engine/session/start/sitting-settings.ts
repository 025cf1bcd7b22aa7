import type { StopRules } from '../../../shared/contract/stop-rules.ts';
import type { ProposerSettings } from '../../../shared/proposers/proposers.ts';
import type { OtherLines, Study } from '../../../shared/study.ts';

/** What a study begins with and a further sitting may change. */
export type LastingSettings = {
  readonly stop?: StopRules | undefined;
  readonly proposer?: ProposerSettings | undefined;
  readonly limitSeconds?: number | undefined;
  /** As in {@link Study}. */
  readonly gpu?: string | null | undefined;
  /** As in {@link Study}. */
  readonly capUsd?: number | undefined;
  /** As in {@link Study}. */
  readonly lanes?: readonly string[] | undefined;
  /** As in {@link Study}. */
  readonly otherLines?: OtherLines | undefined;
};

/** What a further sitting is asked to do. */
export type SittingSettings = LastingSettings & {
  /** Nothing new is tried: at most this many runs make its claims more certain. */
  readonly audit?: number | undefined;
  /** Where the repository may be now, if it has moved. */
  readonly repositoryPath?: string | undefined;
};

/**
 * The settings of a study from this sitting on.
 * @param isResumed whether an earlier sitting began an experiment
 * @param now milliseconds since the epoch
 */
export function applySettings(
  study: Study,
  settings: LastingSettings,
  isResumed: boolean,
  now: number,
): Pick<Study, 'stop' | 'proposer' | 'gpu' | 'capUsd' | 'lanes' | 'otherLines' | 'contract'> {
  const { budget } = study.contract;
  const { deadline, ...lasting } = study.stop;
  // A deadline that has passed was meant for an earlier night.
  const isPast = isResumed && deadline !== undefined && Date.parse(deadline) <= now;
  const limitSeconds = settings.limitSeconds ?? budget.limitSeconds;
  return {
    stop: { ...(isPast ? lasting : study.stop), ...settings.stop },
    proposer: settings.proposer ?? study.proposer,
    gpu: settings.gpu === undefined ? study.gpu : settings.gpu,
    capUsd: settings.capUsd ?? study.capUsd,
    lanes: settings.lanes ?? study.lanes,
    otherLines: settings.otherLines ?? study.otherLines,
    contract: { ...study.contract, budget: { ...budget, limitSeconds } },
  };
}
