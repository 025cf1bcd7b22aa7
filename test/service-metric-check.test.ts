import { mkdir, readdir, rm, utimes, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MetricCheckStep } from '../src/shared/verdicts/metric-check.ts';
import { createRepository, git, snapshotUserState, temporaryFolder } from './support/scaffold.ts';
import { collect, type Desk, openDesk, refusalOf, untilStopped } from './support/service.ts';

/** Its second run waits where there is a file `hold`. */
const TRAINER = `LR=2
printf 'val_bpb: 1.%05d\\n' $((10000 + 10 * LR))
[ -e "$NUMBERS/second" ] && [ -e "$NUMBERS/hold" ] && touch "$NUMBERS/holds" && sleep 600
touch "$NUMBERS/second"
`;

async function prepare(isHeld: boolean) {
  const numbers = await temporaryFolder();
  const repository = await createRepository({
    'train.sh': TRAINER,
    'pawl.toml': `[contract]
editable = ["train.sh"]
train = "sh train.sh"
environment = ["NUMBERS"]
[metric]
name = "val_bpb"
[budget]
seconds = 5
limit_seconds = 600
`,
  });
  if (isHeld) await writeFile(join(numbers, 'hold'), '');
  const userState = await snapshotUserState(repository);
  const desk = await openDesk({ environment: { NUMBERS: numbers } });
  const input = { path: repository, runs: 2, hours: 8, breaks: true };
  const expectNothingLeft = async () => {
    expect(await snapshotUserState(repository)).toBe(userState);
    expect(await git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    expect(await readdir(desk.home)).not.toContain('temporary');
  };
  const untilHeld = async () => {
    for await (const { filename } of watch(numbers)) if (filename === 'holds') return;
  };
  return { repository, numbers, desk, input, expectNothingLeft, untilHeld };
}

/** The steps of a check as far as it is read; `over` is the last one. */
function follow(
  desk: Desk,
  input: Parameters<Desk['calls']['projects']['checkMetric']>[0],
  signal?: AbortSignal,
) {
  const steps: MetricCheckStep[] = [];
  const read = async () => {
    const options = signal ? { signal } : {};
    for await (const step of await desk.calls.projects.checkMetric(input, options)) steps.push(step);
    return steps.at(-1);
  };
  return { steps, over: read() };
}

test('a window is told how a check goes and what came of it, and no study of it', async () => {
  const { desk, input, expectNothingLeft } = await prepare(false);
  const steps = await collect(desk.calls.projects.checkMetric(input));
  expect(steps.map(step => (step.kind === 'progress' ? step.progress.run : step.kind))).toEqual([
    ...[1, 2, 3],
    'measured',
  ]);
  expect(steps.at(-1)).toMatchObject({
    check: { values: [1.1002, 1.1002], broken: { kind: 'run', value: 1.12 }, metric: { name: 'val_bpb' } },
  });
  expect((await desk.calls.app.snapshot()).studies).toEqual([]);
  expect(desk.events.filter(({ type }) => type === 'study')).toEqual([]);
  await expectNothingLeft();
});

test('what came of a check is told where its branch cannot be removed', async () => {
  const { desk, input, repository } = await prepare(false);
  const folder = join(repository, '.git', 'refs', 'heads', 'autoresearch');
  let last: MetricCheckStep | undefined;
  for await (const step of await desk.calls.projects.checkMetric(input)) {
    if (!last) {
      const [branch] = await readdir(folder);
      await mkdir(join(folder, `${branch}.lock`));
      await utimes(join(folder, `${branch}.lock`), 0, 0);
    }
    last = step;
  }
  expect(last?.kind).toBe('measured');
  expect(await readdir(desk.home)).toContain('temporary');
});

test('a check that the user ends leaves nothing, and meanwhile no study begins', async () => {
  const { desk, input, expectNothingLeft, untilHeld, repository, numbers } = await prepare(true);
  const held = untilHeld();
  const { over } = follow(desk, input);
  await held;
  const study = {
    path: repository,
    proposer: { kind: 'search', seed: 1 } as const,
    stop: { experiments: 0 },
  };
  expect(await refusalOf(desk.calls.studies.start(study))).toMatchObject({
    code: 'engine_running',
    message: 'A metric is being checked: wait for it, or stop it first.',
  });
  expect(await refusalOf(collect(desk.calls.projects.checkMetric(input)))).toMatchObject({
    code: 'engine_running',
  });
  await desk.calls.projects.endMetricCheck();
  expect(await over).toEqual({ kind: 'stopped' });
  await expectNothingLeft();
  await rm(join(numbers, 'hold'));
  const { id } = await desk.calls.studies.start(study);
  await untilStopped(desk, id);
});

test('a check ends with the window that reads it, and with the host', async () => {
  const gone = await prepare(true);
  const leaving = new AbortController();
  const held = gone.untilHeld();
  const left = follow(gone.desk, gone.input, leaving.signal);
  await held;
  leaving.abort();
  await left.over.catch(() => {});
  // It does nothing but wait for the end.
  await gone.desk.calls.projects.endMetricCheck();
  await gone.expectNothingLeft();

  const closed = await prepare(true);
  const holds = closed.untilHeld();
  const { over } = follow(closed.desk, closed.input);
  await holds;
  await closed.desk.close();
  expect(await over).toEqual({ kind: 'stopped' });
  await closed.expectNothingLeft();
});

test('no check while a study runs, nor of input that is none', async () => {
  const { desk, input, repository } = await prepare(true);
  const study = { path: repository, proposer: { kind: 'search', seed: 1 } as const, stop: {} };
  const { id } = await desk.calls.studies.start(study);
  expect(await refusalOf(collect(desk.calls.projects.checkMetric(input)))).toMatchObject({
    code: 'engine_running',
  });
  await desk.calls.studies.request({ study: id, kind: 'stop_now' });
  await untilStopped(desk, id);
  for (const bad of [{ runs: 1 }, { runs: 11 }, { hours: 0 }, { path: '' }])
    await expect(desk.calls.projects.checkMetric({ ...input, ...bad })).rejects.toThrow(
      'Input validation failed',
    );
});
