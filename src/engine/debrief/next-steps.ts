import { type Debrief, type NextStep, RUN_OUT } from '../../shared/debrief/debrief.ts';
import { AUDIT_RUNS } from '../../shared/verdicts/claims.ts';

/** The findings from which next steps are chosen. */
export type Findings = Pick<
  Debrief,
  'study' | 'claims' | 'kept' | 'nearMisses' | 'crashes' | 'instructions' | 'after' | 'before'
> & {
  /** Whether kept commits can be trained again, for more reliable numbers. */
  readonly canAudit: boolean;
  readonly instructionsPath: string | null;
  /** Whether any of the proposers can read notes. */
  readonly canSteer: boolean;
};

const MANY_CRASHES = 3;
const MOST_QUEUED = 3;

/** The most useful steps first; none that cannot be done. */
export function nextSteps(found: Findings): readonly NextStep[] {
  if (found.study.state === 'imported') return [];
  return [
    ...mend(found),
    ...audit(found),
    ...takeBest(found),
    ...tryAgain(found),
    ...steer(found),
    ...renew(found),
    ...goOn(found),
  ];
}

function mend({ study }: Findings): readonly NextStep[] {
  const isStuck = study.stopReason === 'error' || study.stopReason === 'proposer';
  if (!isStuck || study.state !== 'stopped') return [];
  const why = study.stopDetail ?? 'The study ended before it was done.';
  return [{ title: 'Fix what stopped it, then resume', why, action: { kind: 'resume' } }];
}

function audit({ claims, canAudit, study }: Findings): readonly NextStep[] {
  const unproven = claims?.keeps.filter(({ isProven }) => !isProven).length ?? 0;
  if (!claims || !canAudit || study.state === 'running') return [];
  if (claims.isRepeatable || (unproven === 0 && claims.headline !== null) || claims.keeps.length === 0)
    return [];
  const open =
    unproven === 0
      ? 'The gain was not measured by fresh runs'
      : claims.keeps.length === 1
        ? 'The only keep is not proven'
        : `${unproven} of ${claims.keeps.length} keeps ${unproven === 1 ? 'is' : 'are'} not proven`;
  return [
    {
      title: `Audit the gains with up to ${AUDIT_RUNS} runs`,
      why: `${open}. An audit trains them again and tries nothing new.`,
      action: { kind: 'audit', runs: AUDIT_RUNS },
    },
  ];
}

function takeBest({ kept, after, before }: Findings): readonly NextStep[] {
  if (kept.length === 0 || !after || after.n === before?.n) return [];
  return [
    {
      title: `Make a branch at the best, #${after.n}`,
      why: `${kept.length === 1 ? 'One idea was' : `${kept.length} ideas were`} kept; your own branches are as you left them.`,
      action: { kind: 'apply' },
    },
  ];
}

function tryAgain({ nearMisses }: Findings): readonly NextStep[] {
  return nearMisses.slice(0, MOST_QUEUED).map(({ n, hypothesis, why }) => ({
    title: `Try #${n} again on the best: ${hypothesis}`,
    why,
    action: { kind: 'queue', n },
  }));
}

function steer({ crashes, canSteer }: Findings): readonly NextStep[] {
  if (!canSteer) return [];
  return crashes
    .filter(
      ({ experiments, class: kind }) => experiments.length >= MANY_CRASHES && ADVICE[kind] !== undefined,
    )
    .map(({ class: kind, experiments }) => {
      const text = ADVICE[kind] ?? '';
      const why = `${experiments.length} experiments ended this way, the last of them #${experiments[0]}.`;
      return { title: `Tell the proposer: ${text}`, why, action: { kind: 'steer', text } };
    });
}

const ADVICE: Readonly<Partial<Record<string, string>>> = {
  out_of_memory: 'Several edits ran out of memory. Keep the memory use at or below that of the current best.',
  diverged: 'Several edits made the loss diverge. Change learning rates and scales by smaller factors.',
  timeout: 'Several edits timed out. Do not make a step slower, or take fewer steps.',
  locked_file_touched:
    'Several edits wrote to locked files. Write outputs only where the baseline writes them.',
  exception: 'Several edits raised an exception. Check that every name you use is defined in the file.',
};

function renew({ instructions, instructionsPath, canSteer }: Findings): readonly NextStep[] {
  const newest = instructions.at(-1);
  if (!newest || !canSteer || instructionsPath === null || newest.sinceGain < RUN_OUT) return [];
  return [
    {
      title: `Change ${instructionsPath}`,
      why: `Version ${newest.version} has run out: ${newest.sinceGain} experiments without a gain.`,
      action: { kind: 'instructions' },
    },
  ];
}

function goOn({ study }: Findings): readonly NextStep[] {
  const mayGoOn = ['experiments', 'deadline', 'user', 'spend', 'patience', 'exhausted'].includes(
    study.stopReason ?? '',
  );
  if (study.state !== 'stopped' || !mayGoOn) return [];
  return [
    {
      title: 'Run more experiments',
      why: 'You can resume with new limits, and with another proposer.',
      action: { kind: 'resume' },
    },
  ];
}
