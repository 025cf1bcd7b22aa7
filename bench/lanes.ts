import { setTimeout as delay } from 'node:timers/promises';
import type { EngineEvent } from '../src/shared/events.ts';
import type { ProposerSettings } from '../src/shared/proposers/proposers.ts';
import { startModelServer } from '../test/support/model-server.ts';
import { runBenchStudy, scriptContract, standInGpus } from './bench-study.ts';
import { printTable } from './report.ts';

export const TRAIN_SECONDS = 2;
const THINK_MS = 500;
/** Experiments in each lane. */
export const EACH = 10;

/** Sleeps, then prints what upstream prints. It has ten constants, so that a search has enough to change. */
const CONSTANTS = 'ABCDEFGHIJ'.split('');
const trainer = (
  first: number,
) => `${CONSTANTS.map((name, place) => `${name}=${place === 0 ? first : 3 + place}`).join('\n')}
echo 'step 00001 (50.0%) | loss: 3.1'
sleep ${TRAIN_SECONDS}
printf -- '---\\nval_bpb:          1.%06d\\npeak_vram_mb:     45060.2\\n' $((${CONSTANTS.map(name => `${name}`).join(' + ')}))
`;

const CONTRACT = scriptContract(TRAIN_SECONDS);

export type Measured = {
  readonly perSecond: number;
  readonly engineSeconds: number;
  /** From the first experiment after the baseline on. */
  readonly events: readonly EngineEvent[];
};

/** Where a study trains. */
type Lanes = {
  readonly count: number;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Lines for its `pawl.toml`. */
  readonly contract?: string;
};

/** Experiments a second in one lane and in several, side by side; a training sleeps, so the cores are not the limit. */
export async function benchLanes(): Promise<void> {
  const server = await startModelServer(async (_, index) => {
    await delay(THINK_MS);
    const input = {
      ...{ hypothesis: `Number ${index}`, rationale: 'One after the other.', category: `kind ${index}` },
      ...{ predicted_effect: 0, differs: 'Another number.' },
      edits: [{ path: 'train.sh', content: trainer(100 + index) }],
    };
    return { kind: 'message', blocks: [{ type: 'tool_use', name: 'submit_proposal', input }] };
  });
  try {
    const model: ProposerSettings = {
      ...{ kind: 'model', model: 'bench', effort: null, baseUrl: server.url, key: 'none' },
      capUsd: { study: null, sitting: null },
    };
    const search: ProposerSettings = { kind: 'search', seed: 1 };
    for (const [what, proposer] of [
      ['search, at once', search],
      [`model, ${THINK_MS / 1000} s`, model],
    ] as const) {
      const one = await measureStudy(proposer, ofGpus(1));
      const rows = [];
      for (const lanes of [2, 4, 8]) {
        const many = await measureStudy(proposer, ofGpus(lanes));
        const ratio = many.perSecond / (lanes * one.perSecond);
        rows.push(
          {
            ...{ what: `${lanes} lanes`, value: many.perSecond, unit: 'experiments/s' },
            reference: `${lanes} × one lane, ${one.perSecond.toFixed(3)}; at least 0.95 at 2 and 4`,
            ...{ ratio, isGood: lanes > 4 ? null : ratio >= 0.95 },
          },
          {
            ...{ what: `${lanes} lanes: CPU of the engine`, value: many.engineSeconds, unit: 's/experiment' },
            reference: `one lane, ${one.engineSeconds.toFixed(3)}; at most 0.2 s`,
            ...{ ratio: many.engineSeconds / one.engineSeconds, isGood: many.engineSeconds <= 0.2 },
          },
        );
      }
      printTable(`Lanes: trainings of ${TRAIN_SECONDS} s, ${EACH} experiments a lane, ${what}`, rows);
    }
  } finally {
    await server.close();
  }
}

function ofGpus(count: number): Lanes {
  return { count, words: count === 1 ? [] : ['gpu:all'] };
}

/** From the first experiment after the baseline to the end of the last. */
export async function measureStudy(proposer: ProposerSettings, lanes: Lanes): Promise<Measured> {
  const count = EACH * lanes.count;
  let [began, ended] = [0, 0];
  let cpu = process.cpuUsage();
  const events: EngineEvent[] = [];
  await runBenchStudy(
    {
      files: { 'train.sh': trainer(3), 'pawl.toml': CONTRACT + (lanes.contract ?? '') },
      ...{ proposer, stop: { experiments: count }, lanes: lanes.words, telemetry: standInGpus(lanes.count) },
      environment: lanes.environment ?? {},
    },
    event => {
      if (event.type === 'experiment_started' && event.n === 1) {
        began = performance.now();
        cpu = process.cpuUsage();
      }
      if (began > 0) events.push(event);
      if (event.type === 'run_finished') ended = performance.now();
      if (event.type === 'study_stopped') cpu = process.cpuUsage(cpu);
    },
  );
  return {
    perSecond: count / ((ended - began) / 1000),
    engineSeconds: (cpu.user + cpu.system) / 1e6 / count,
    events,
  };
}
