import { closeSync, openSync, readSync } from 'node:fs';
import { DEFAULT_STRATEGY } from '../src/shared/proposers/proposers.ts';
import { runBenchStudy, scriptContract, standInGpus } from './bench-study.ts';
import { printTable, quantile } from './report.ts';

/** How long and how often each training prints. */
const TRAIN_SECONDS = 4;
const LINES_A_SECOND = 50;
/** Experiments in each lane. */
const EACH = 4;
/** Shorter turns did nothing. */
const LEAST_MS = 0.2;
const MOST_MS = 20;

/** Enough constants for a search to change. */
const NAMES = 'ABCDEFGHIJ'.split('');
const TRAINER = `${NAMES.map((name, place) => `${name}=${3 + place}`).join('\n')}
i=0
while [ $i -lt ${TRAIN_SECONDS * LINES_A_SECOND} ]; do
  i=$((i + 1))
  echo "step $i | loss: 3.$((1000 - i)) | lr: 0.0$i | dt: 20ms | tok/sec: 5000$i | mfu: 41.$i"
  sleep ${1 / LINES_A_SECOND}
done
printf -- '---\\nval_bpb: 1.%06d\\n' $((${NAMES.join(' + ')}))
`;
const CONTRACT = scriptContract(TRAIN_SECONDS);

/** How long the engine is busy in one turn of the event loop while lanes print. */
export async function benchTurns(): Promise<void> {
  const rows = [];
  for (const lanes of [1, 8]) {
    const busy = await measureTurns(lanes);
    for (const [what, value] of [
      ['p99', quantile(busy, 0.99)],
      ['longest', Math.max(...busy)],
    ] as const) {
      rows.push({
        what: `${lanes === 1 ? 'one lane' : `${lanes} lanes`}: ${what} of ${busy.length} turns that did something`,
        ...{ value, unit: 'ms CPU', ratio: null, isGood: value <= MOST_MS },
        reference: `at most ${MOST_MS} ms`,
      });
    }
  }
  printTable(`Turns of the event loop: ${LINES_A_SECOND} lines a second in each lane`, rows);
}

/**
 * CPU time of the main thread in each turn that did something, in milliseconds, counted from the first experiment after
 * the baseline. What measures makes no garbage: the turns are many, and collecting it would count as the engine's time.
 */
async function measureTurns(lanes: number): Promise<readonly number[]> {
  const busy: number[] = [];
  const clock = openSync('/proc/thread-self/schedstat', 'r');
  let isWatching = false;
  let before = 0;
  const turn = () => {
    const now = threadMs(clock);
    if (before > 0 && now - before >= LEAST_MS) busy.push(now - before);
    before = now;
    if (isWatching) setImmediate(turn);
  };
  await runBenchStudy(
    {
      files: { 'train.sh': TRAINER, 'pawl.toml': CONTRACT },
      ...{
        proposer: { kind: 'search', seed: 1, strategy: DEFAULT_STRATEGY },
        stop: { experiments: EACH * lanes },
      },
      ...(lanes === 1 ? {} : { lanes: ['gpu:all'], telemetry: standInGpus(lanes) }),
    },
    event => {
      if (event.type === 'experiment_started' && event.n === 1) {
        isWatching = true;
        setImmediate(turn);
      }
      if (event.type === 'study_stopped') isWatching = false;
    },
  );
  closeSync(clock);
  return busy;
}

const SPACE = ' '.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const read = Buffer.alloc(64);

/** CPU time so far of the thread that opened the clock, as Linux counts it (proc_pid_schedstat(5)). */
function threadMs(clock: number): number {
  const length = readSync(clock, read, 0, read.length, 0);
  let nanoseconds = 0;
  for (let at = 0; at < length && read[at] !== SPACE; at += 1)
    nanoseconds = 10 * nanoseconds + (read[at] ?? ZERO) - ZERO;
  return nanoseconds / 1e6;
}
