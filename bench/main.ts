import { benchCaches } from './caches.ts';
import { benchCompatibility } from './compatibility.ts';
import { benchDebrief } from './debrief.ts';
import { benchLanes } from './lanes.ts';
import { benchLanesOnSlurm } from './lanes-slurm.ts';
import { benchLedger } from './ledger.ts';
import { benchLookAhead } from './look-ahead.ts';
import { benchOutput } from './output.ts';
import { benchOverhead } from './overhead.ts';
import { benchPrune } from './prune.ts';
import { benchSample } from './sample.ts';
import { benchSandbox } from './sandbox.ts';
import { benchSearch, benchSearchOfByteLm } from './search.ts';
import { benchSearchLanes } from './search-lanes.ts';
import { benchStart } from './start.ts';
import { benchTurns } from './turns.ts';
import { benchVerdicts } from './verdicts.ts';
import { benchVerdictsOfByteLm } from './verdicts-byte-lm.ts';
import { benchWindow } from './window.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  overhead: benchOverhead,
  output: benchOutput,
  ledger: benchLedger,
  debrief: benchDebrief,
  lanes: benchLanes,
  slurm: benchLanesOnSlurm,
  'look-ahead': benchLookAhead,
  turns: benchTurns,
  sandbox: benchSandbox,
  caches: benchCaches,
  prune: benchPrune,
  sample: benchSample,
  start: benchStart,
  verdicts: benchVerdicts,
  window: benchWindow,
};

// Studies are compared with one training per experiment; the bench of the verdicts covers the cost of repeats.
process.env.PAWL_VERDICT ??= 'greedy';
const wanted = process.argv.slice(2);
if (wanted[0] === 'compatibility') {
  // Separate from the others: it measures the folder it is given.
  await runCompatibility(wanted[1]);
} else if (wanted[0] === 'search') {
  // Also separate: it trains for half an hour, or as long as it is allowed to.
  const [seeds, experiments] = wanted.slice(1).map(Number);
  await benchSearch(seeds, experiments);
} else if (wanted[0] === 'search-byte-lm') {
  await benchSearchOfByteLm(...wanted.slice(1).map(Number));
} else if (wanted[0] === 'search-lanes') {
  await benchSearchLanes(...wanted.slice(1).map(Number));
} else if (wanted[0] === 'verdicts-byte-lm') {
  const [studies, trainings] = wanted.slice(1, 3).map(Number);
  await benchVerdictsOfByteLm(studies, trainings, wanted[3] !== 'without-confirm');
} else {
  await runBenches(wanted.length > 0 ? wanted : Object.keys(BENCHES));
}

async function runCompatibility(folder: string | undefined): Promise<void> {
  if (folder !== undefined) return benchCompatibility(folder);
  console.error('Say which folder of repositories and tables: npm run bench -- compatibility <folder>.');
  process.exitCode = 2;
}

async function runBenches(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const bench = BENCHES[name];
    if (!bench) {
      const apart = ['compatibility', 'search', 'search-byte-lm', 'search-lanes', 'verdicts-byte-lm'];
      const all = [...Object.keys(BENCHES), ...apart];
      console.error(`There is no bench "${name}"; there are ${all.join(', ')}.`);
      process.exitCode = 2;
      return;
    }
    await bench();
  }
}
