import { autoresearchContract } from '../../src/engine/contract/autoresearch.ts';
import type { RunResult } from '../../src/engine/store/runs.ts';
import type { Study } from '../../src/shared/study.ts';

/** A study that was just begun, as the ledger has it, with the fields that a test wants to differ. */
export function plainStudy(fields: Partial<Study> = {}): Study {
  return {
    id: 's1',
    tag: 'night',
    repositoryPath: '/r',
    gitDir: '/r/.git',
    contract: autoresearchContract('TIME_BUDGET = 60', false),
    baseCommit: 'b'.repeat(40),
    proposer: { kind: 'search', seed: 1 },
    stop: { experiments: 5 },
    state: 'ready',
    stopReason: null,
    stopDetail: null,
    createdAt: 1,
    preserved: [],
    outputs: [],
    writtenFolders: null,
    worktreeName: 'pawl-night',
    lanes: [],
    otherLines: 'off',
    importedFrom: null,
    importColumns: null,
    asksApproval: false,
    gpu: null,
    capUsd: null,
    title: null,
    archivedAt: null,
    ...fields,
  };
}

/** A run that was ended, with nothing that it measured. */
export const ABORTED: RunResult = {
  ...{
    outcome: { kind: 'aborted' },
    summary: null,
    crash: null,
    units: {},
    outputBytes: 0,
    gpuEnergyWh: null,
  },
  resources: { peakRssBytes: null, cpuSeconds: null },
  fairness: { flags: [], smClockMhz: null, samples: 0, foreign: [] },
};
