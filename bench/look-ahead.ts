import { setTimeout as delay } from 'node:timers/promises';
import type { ProposerSettings } from '../src/shared/proposers/proposers.ts';
import { startModelServer } from '../test/support/model-server.ts';
import { runBenchStudy, scriptContract } from './bench-study.ts';
import { printTable } from './report.ts';

/** A scaled-down night: 300 s of training and 40 s of thinking, fifty times faster. */
const SCALE = 50;
const TRAIN_SECONDS = 300 / SCALE;
const THINK_MS = 40_000 / SCALE;
const EXPERIMENTS = 10;

const CONTRACT = scriptContract(TRAIN_SECONDS);

/** Share of the wall time in which a training runs, with a slow proposer, alternately with look-ahead and without. */
export async function benchLookAhead(): Promise<void> {
  const without = await trainedShare(false);
  const withIt = await trainedShare(true);
  printTable(
    `Look-ahead: a proposer of ${THINK_MS / 1000} s, a training of ${TRAIN_SECONDS} s, ${EXPERIMENTS} experiments`,
    [
      {
        what: 'share of the wall time in which a training runs',
        value: withIt * 100,
        unit: '%',
        reference: `without look-ahead: ${(without * 100).toFixed(1)} %; at least 98.5 %`,
        ratio: withIt / without,
        isGood: withIt >= 0.985,
      },
    ],
  );
}

async function trainedShare(isLookingAhead: boolean): Promise<number> {
  let count = 0;
  const server = await startModelServer(async () => {
    await delay(THINK_MS);
    count += 1;
    const edit = { path: 'train.sh', content: trainer(count) };
    const input = {
      ...{ hypothesis: `Number ${count}`, rationale: 'One after the other.', category: `kind ${count}` },
      ...{ predicted_effect: 0, differs: 'Another number.', edits: [edit] },
    };
    return { kind: 'message', blocks: [{ type: 'tool_use', name: 'submit_proposal', input }] };
  });
  try {
    // From the end of the baseline to the end of the last training: nobody waits for anything later.
    let began = 0;
    let ended = 0;
    let trained = 0;
    const proposer: ProposerSettings = {
      ...{ kind: 'model', model: 'bench', effort: null, baseUrl: server.url, key: 'none' },
      capUsd: { study: null, sitting: null },
    };
    await runBenchStudy(
      {
        files: { 'train.sh': trainer(0), 'pawl.toml': CONTRACT },
        ...{ proposer, stop: { experiments: EXPERIMENTS }, engine: { isLookingAhead } },
        // The default rule trains the baseline twice, and the first proposal is prepared during the second training.
        environment: { PAWL_SANDBOX: 'preferred', PAWL_VERDICT: 'honest' },
      },
      event => {
        if (event.type === 'run_finished' && event.n === 0) began = performance.now();
        if (event.type === 'run_finished' && event.n > 0) {
          trained += event.seconds;
          ended = performance.now();
        }
      },
    );
    return (trained * 1000) / (ended - began);
  } finally {
    await server.close();
  }
}

/** Every number is worse than the baseline's, as most experiments are. */
function trainer(number: number): string {
  return `NUMBER=${number}
sleep ${TRAIN_SECONDS}
printf -- '---\\nval_bpb: 1.%06d\\n' $NUMBER
`;
}
