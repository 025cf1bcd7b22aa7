import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { EngineEvent } from '../../src/shared/events.ts';
import type { DeathPoint } from './die-at.ts';
import { eventsOf, RunningPawl, sitting } from './pawl.ts';
import { git, snapshotUserState } from './scaffold.ts';
import {
  checkNight,
  dyingAt,
  type ExperimentRow,
  isRecorded,
  type Night,
  prepareNight,
  readRows,
  rowsOf,
  TAG,
} from './study.ts';

/** A sitting that ends by SIGKILL at `point`, and the events it wrote. */
export async function dyingSitting(args: readonly string[], night: Night, point: DeathPoint) {
  const running = new RunningPawl(args, { home: night.home, env: dyingAt(point) });
  const { signal } = await running.ended;
  return { signal, events: running.events };
}

/** What was seen of a study before its kills, and must remain true: announced verdicts, recorded rows, attempts made. */
class Witness {
  readonly #recorded = new Map<number, ExperimentRow>();
  readonly #attempts = new Map<number, { commit: string; hypothesis: string | null }>();
  readonly #verdicts = new Map<number, Extract<EngineEvent, { type: 'verdict' }>>();

  /** Notes an engine's events, then checks everything against the ledger. */
  look(night: Night, events: readonly EngineEvent[]): void {
    for (const event of eventsOf(events, 'verdict')) {
      expect(this.#verdicts.has(event.n), `a second verdict on experiment ${event.n}`).toBe(false);
      this.#verdicts.set(event.n, event);
    }
    const rows = readRows(night.home)?.experiments ?? [];
    const byNumber = new Map(rows.map(row => [row.n, row]));
    for (const [n, { verdict, reason, metric, commit }] of this.#verdicts) {
      expect(byNumber.get(n), `experiment ${n} after a kill`).toMatchObject({
        phase: 'recorded',
        verdict,
        reason,
        metric,
        attempt_commit: commit,
      });
    }
    for (const [n, row] of this.#recorded) expect(byNumber.get(n)).toEqual(row);
    for (const [n, { commit, hypothesis }] of this.#attempts) {
      expect(byNumber.get(n), `the attempt of experiment ${n}`).toMatchObject({
        attempt_commit: commit,
        hypothesis,
      });
    }
    for (const row of rows) {
      if (isRecorded(row)) this.#recorded.set(row.n, row);
      const { attempt_commit: commit, hypothesis } = row;
      if (commit !== null) this.#attempts.set(row.n, { commit, hypothesis });
    }
  }
}

async function checkObjects({ repository }: Night): Promise<void> {
  const report = await git(repository, 'fsck', '--no-dangling', '--no-progress');
  expect(report).toBe('');
}

/**
 * Kills a study of its own once an event with these properties was reported: nothing is lost, and the study can
 * continue.
 */
export async function killAtEvent(state: Readonly<Record<string, unknown>>): Promise<void> {
  const night = await prepareNight();
  const { home, repository } = night;
  const witness = new Witness();
  const first = await dyingSitting(['run', repository, '--tag', TAG, '-n', '4'], night, { event: state });
  expect(first.signal).toBe('SIGKILL');
  expect(first.events.at(-1)).toMatchObject(state);
  witness.look(night, first.events);
  const inFlight = rowsOf(home).experiments.filter(row => row.verdict === null);
  expect(inFlight.length).toBeLessThanOrEqual(1);

  // The next engine repairs everything before it does anything else.
  const second = await dyingSitting(['resume', repository], night, { event: { type: 'study_started' } });
  witness.look(night, second.events);
  const reconciled = rowsOf(home);
  expect(reconciled.runs.filter(run => run.outcome === null)).toEqual([]);
  for (const { n } of inFlight) {
    expect(reconciled.experiments.find(row => row.n === n)?.phase).toBe('interrupted');
  }
  for (const run of reconciled.runs.filter(({ n }) => inFlight.some(row => row.n === n))) {
    expect(JSON.parse(run.outcome ?? 'null')).toEqual({ kind: 'interrupted' });
  }

  const count = Math.max(2, Number(state.n ?? 0) + 1);
  const last = await sitting(['resume', repository, '-n', String(count)], { home });
  expect(last.code).toBe(0);
  witness.look(night, last.events);
  for (const { n, attempt_commit: commit, hypothesis } of inFlight) {
    if (commit === null) continue;
    expect(eventsOf(last.events, 'verdict').find(event => event.n === n)).toMatchObject({
      commit,
      hypothesis,
    });
    expect(eventsOf(last.events, 'proposed').some(event => event.n === n)).toBe(false);
  }
  const { experiments } = rowsOf(home);
  expect(experiments.map(row => row.n)).toEqual([...Array(count + 1).keys()]);
  expect(experiments.every(isRecorded)).toBe(true);
  await checkNight(night);
  await checkObjects(night);
}

/** Kills one study at each of the points in turn: nothing is lost, and it continues. */
export async function killAround(points: readonly DeathPoint[]): Promise<void> {
  const night = await prepareNight({ trainer: WIDE_TRAINER });
  const { home, repository } = night;
  await sitting(['run', repository, '--tag', TAG, '-n', '1'], { home });
  const witness = new Witness();
  for (const point of points) {
    const running = new RunningPawl(['resume', repository, '-n', '1000'], {
      home,
      env: dyingAt(point),
    });
    const { signal } = await running.ended;
    expect(signal, JSON.stringify(point)).toBe('SIGKILL');
    witness.look(night, running.events);
    expect(await snapshotUserState(repository)).toBe(night.userState);
  }
  const recorded = rowsOf(home).experiments.filter(isRecorded).length;
  const { code, events } = await sitting(['resume', repository, '-n', String(recorded + 1)], { home });
  expect(code).toBe(0);
  witness.look(night, events);
  await checkNight(night);
  await checkObjects(night);
}

/** Kills the creation of a study at each of the points: it can be created again or resumed. */
export async function killInMaking(points: readonly DeathPoint[]): Promise<void> {
  const night = await prepareNight();
  const { home, repository } = night;
  for (const [index, point] of points.entries()) {
    const tag = `night-${index}`;
    const args = ['run', repository, '--tag', tag, '-n', '1'];
    const died = new RunningPawl(args, { home, env: dyingAt(point) });
    expect((await died.ended).signal, JSON.stringify(point)).toBe('SIGKILL');
    const isKnown = readRows(home, tag) !== null;
    const again = await sitting(isKnown ? ['resume', repository, '--tag', tag] : args, { home });
    expect(again.stderr).toBe('');
    expect(again.code, JSON.stringify(point)).toBe(0);
    expect(rowsOf(home, tag).experiments.map(row => row.phase)).toEqual(['recorded', 'recorded']);
    expect(await snapshotUserState(repository)).toBe(night.userState);
  }
  await checkObjects(night);
}

/** Ten constants, so that a search can propose hundreds of experiments; a run takes a moment. */
const WIDE_TRAINER = `A=2
B=3
C=20
D=4
E=16
F=31
G=5
H=64
I=7
J=12
distance() { d=$(($1 - 9)); echo "\${d#-}"; }
value=1000000
for constant in $A $B $C $D $E $F $G $H $I $J; do value=$((value + 37 * $(distance $constant))); done
printf 'step 1 | loss: 3.1\\n'
sleep 0.03
printf -- '---\\nval_bpb:          %d.%06d\\npeak_vram_mb:     45060.2\\n' $((value / 1000000)) $((value % 1000000))
`;

/** Repeatable, so that a failure can be reproduced. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Kills one study `count` times at random moments: nothing is lost, and it continues. Checks the ledger after each
 * kill, and the other invariants after some. Returns the type of the last event before each kill.
 */
export async function killAtRandom(count: number, how: KillOptions = {}): Promise<ReadonlySet<string>> {
  const { lanes = [], atOnce = 1, env = {}, contract, before = '', seed = 20_260_325 } = how;
  const night = await prepareNight({
    trainer: before + WIDE_TRAINER,
    ...(contract === undefined ? {} : { contract }),
  });
  const { home, repository } = night;
  const options = { home, env };
  const random = seededRandom(seed);
  const witness = new Witness();
  await sitting(['run', repository, '--tag', TAG, '-n', '0', ...lanes], options);
  const killedIn = new Set<string>();
  // The moments are spread over the time that a start and an experiment take on this machine under its current load.
  let [startMs, experimentMs] = await paceOf(night, witness, env);
  for (let kill = 1; kill <= count; kill += 1) {
    const began = performance.now();
    const running = new RunningPawl(['resume', repository, '-n', '100000'], options);
    // Half of them count from the very start, half from when the loop runs; randomness is the point here.
    if (kill % 2 === 0) {
      await running.waitFor(event => event.type === 'experiment_started');
      startMs = performance.now() - began;
      await delay(random() * 1.5 * experimentMs);
    } else await delay(random() * 1.5 * startMs);
    await running.kill();
    witness.look(night, running.events);
    killedIn.add(running.events.at(-1)?.type ?? 'start');
    const { experiments } = rowsOf(home);
    expect(experiments.filter(row => !isRecorded(row)).length).toBeLessThanOrEqual(atOnce);
    if (kill % 10 === 0) {
      expect(await snapshotUserState(repository)).toBe(night.userState);
      const branch = await git(repository, 'rev-parse', `autoresearch/${TAG}`);
      const keeps = experiments
        .filter(row => row.verdict === 'keep')
        .toSorted((a, b) => Number(a.verdict_order) - Number(b.verdict_order));
      // The last keep's branch may not have moved yet.
      expect(keeps.slice(-2).map(row => row.branch_commit ?? row.attempt_commit)).toContain(branch);
      [, experimentMs] = await paceOf(night, witness, env);
    }
  }
  const recorded = rowsOf(home).experiments.filter(isRecorded).length;
  const { code, events } = await sitting(
    ['resume', repository, '-n', String(recorded + atOnce - 1)],
    options,
  );
  expect(code).toBe(0);
  witness.look(night, events);
  await checkNight(night);
  await checkObjects(night);
  expect(rowsOf(home).experiments.length).toBeGreaterThan(count / 10);
  return killedIn;
}

type KillOptions = {
  readonly lanes?: readonly string[];
  /** The number of experiments that may run at once. */
  readonly atOnce?: number;
  /** Of the engines. */
  readonly env?: Readonly<Record<string, string>>;
  readonly contract?: string;
  /** Shell commands before those of the trainer. */
  readonly before?: string;
  readonly seed?: number;
};

/**
 * How long a start and an experiment take now, in ms, measured with a sitting that is killed after its first
 * experiment.
 */
async function paceOf(
  night: Night,
  witness: Witness,
  env: Readonly<Record<string, string>>,
): Promise<readonly [number, number]> {
  const began = performance.now();
  const running = new RunningPawl(['resume', night.repository, '-n', '100000'], { home: night.home, env });
  await running.waitFor(event => event.type === 'experiment_started');
  const started = performance.now();
  await running.waitFor(event => event.type === 'verdict');
  const decided = performance.now();
  await running.kill();
  witness.look(night, running.events);
  return [started - began, decided - started];
}
