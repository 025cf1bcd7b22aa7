import { benchLedger } from './ledger.ts';
import { benchLookAhead } from './look-ahead.ts';
import { benchOutput } from './output.ts';
import { benchOverhead } from './overhead.ts';
import { benchPrune } from './prune.ts';
import { benchSample } from './sample.ts';
import { benchSandbox } from './sandbox.ts';
import { benchWindow } from './window.ts';

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  overhead: benchOverhead,
  output: benchOutput,
  ledger: benchLedger,
  'look-ahead': benchLookAhead,
  sandbox: benchSandbox,
  prune: benchPrune,
  sample: benchSample,
  window: benchWindow,
};

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  const bench = BENCHES[name];
  if (!bench) {
    console.error(`There is no bench "${name}"; there are ${Object.keys(BENCHES).join(', ')}.`);
    process.exitCode = 2;
    break;
  }
  await bench();
}
