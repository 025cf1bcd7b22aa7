import { describe, expect, test } from 'vitest';
import { type QuitEffects, QuitSequence } from '../src/main/quit.ts';
import { type TrayItem, trayModel } from '../src/main/tray-model.ts';
import { DEFAULT_AUDIT, DEFAULT_BUDGET, DEFAULT_METRIC } from '../src/shared/contract/contract-defaults.ts';
import type { StudyCard } from '../src/shared/notebook.ts';

const NOW = 1_000_000_000_000;

function card(changes: Partial<StudyCard> = {}): StudyCard {
  return {
    id: 'study',
    tag: 'night',
    branch: 'autoresearch/night',
    repositoryPath: '/repo',
    gitDir: '/repo/.git',
    contract: {
      source: 'pawl.toml',
      editable: ['train.py'],
      locked: null,
      instructions: null,
      train: 'python train.py',
      setup: null,
      environment: [],
      metric: { ...DEFAULT_METRIC, name: 'val_bpb', goal: 'minimize' },
      ...{ checks: [], score: null, audit: DEFAULT_AUDIT, model: null },
      budget: { seconds: 300, limitSeconds: 600, ...DEFAULT_BUDGET },
      stop: {},
      limits: { memoryGb: null, processes: null, freeDiskGb: null },
      sandbox: { mode: 'preferred', network: false, writes: [], reads: [], cacheMb: 512 },
    },
    proposer: { kind: 'search', seed: 1 },
    stop: {},
    state: 'running',
    stopReason: null,
    stopDetail: null,
    createdAt: NOW,
    baseCommit: 'a'.repeat(40),
    importedFrom: null,
    spend: null,
    gpu: null,
    capUsd: null,
    title: null,
    archivedAt: null,
    isContained: null,
    claims: null,
    gpuEnergyWh: null,
    asksApproval: false,
    isStarting: false,
    pace: null,
    ideas: { waiting: 0, version: 0 },
    waiting: null,
    tally: {
      finished: 12,
      keep: 3,
      discard: 8,
      crash: 1,
      baselineVerdict: 'keep',
      keepRate: 3 / 11,
      baseline: 1.02,
      best: 0.99770112,
      bestExperiment: 7,
    },
    cells: 13,
    activeAt: NOW,
    ...{ inFlight: [], lanes: [], otherLines: 'off' },
    current: {
      n: 12,
      phase: 'training',
      hypothesis: null,
      run: { lane: null, k: 0, startedAt: NOW - 60_000 },
      wish: null,
    },
    ...changes,
  };
}

const labels = (items: readonly TrayItem[]) =>
  items.map(item => (item.type === 'separator' ? '-' : item.label));

describe('the tray', () => {
  test('without any study it opens and quits, no more', () => {
    const model = trayModel(null, null, null, NOW);
    expect(model).toMatchObject({ icon: 'idle', tooltip: 'Pawl' });
    expect(labels(model.items)).toEqual(['Open Pawl', 'Quit Pawl']);
  });

  test('tells best, experiment and time left of what runs', () => {
    const model = trayModel(card(), card(), null, NOW);
    expect(model.icon).toBe('running');
    expect(labels(model.items)).toEqual([
      'night: running',
      'Best so far: val_bpb 0.997701 in #7, baseline 1.02',
      '#12: training, about 4 min left',
      '-',
      'Pause after this experiment',
      'Stop after this experiment',
      '-',
      'Open Pawl',
      'Quit Pawl',
    ]);
    expect(model.tooltip).toBe(
      'Pawl\nnight: running\nBest so far: val_bpb 0.997701 in #7, baseline 1.02\n#12: training, about 4 min left',
    );
  });

  test.each([
    [0, 'about 5 min left'],
    [255, 'about 45 s left'],
    [300, 'over its time; it ends in 5 min at the latest'],
    [599.5, 'over its time; it ends in 1 s at the latest'],
    [700, 'over its time; it ends in 0 s at the latest'],
    // A clock that was set back must not promise more than the whole time.
    [-500, 'about 5 min left'],
  ])('after %d seconds of training says %s', (elapsed, left) => {
    const running = card();
    const started = { ...running.current, run: { lane: null, k: 0, startedAt: NOW - elapsed * 1000 } };
    const model = trayModel({ ...running, current: started as StudyCard['current'] }, null, null, NOW);
    expect(labels(model.items)).toContain(`#12: training, ${left}`);
  });

  test('says hours of a long budget', () => {
    const { contract } = card();
    const long = { ...contract, budget: { seconds: 3 * 3600, limitSeconds: 6 * 3600, ...DEFAULT_BUDGET } };
    const model = trayModel(card({ contract: long }), null, null, NOW);
    expect(labels(model.items)).toContain('#12: training, about 2 h 59 min left');
  });

  test('tells the phase where nothing trains', () => {
    const current = { n: 3, phase: 'proposing' as const, hypothesis: null, run: null, wish: null };
    expect(labels(trayModel(card({ current }), null, null, NOW).items)).toContain('#3: proposing');
  });

  test('of several in flight it tells how many train, and which of them ends first', () => {
    const training = (n: number, seconds: number) => ({
      ...{ n, phase: 'training' as const, hypothesis: null, wish: null },
      run: { lane: `cpu ${n}`, k: 0, startedAt: NOW - seconds * 1000 },
    });
    const proposing = { n: 15, phase: 'proposing' as const, hypothesis: null, run: null, wish: null };
    const inFlight = [training(12, 30), training(13, 200), training(14, 90), proposing];
    const { items, tooltip } = trayModel(card({ current: training(12, 30), inFlight }), null, null, NOW);
    expect(labels(items).slice(2, 5)).toEqual([
      '3 of 4 experiments training',
      '#13: training, about 2 min left',
      '-',
    ]);
    expect(tooltip).toContain('\n3 of 4 experiments training\n#13: training');
    expect(items[3]).toMatchObject({ action: { do: 'show', n: 13 } });
    const none = trayModel(card({ inFlight: [proposing, { ...proposing, n: 16 }] }), null, null, NOW);
    expect(labels(none.items).slice(2, 4)).toEqual(['0 of 2 experiments training', '-']);
  });

  test('a wish shows, and one to pause can be taken back', () => {
    const wishing = (wish: 'pause' | 'stop') => {
      const { current } = card();
      return trayModel(card({ current: current && { ...current, wish } }), null, null, NOW);
    };
    expect(labels(wishing('pause').items)).toEqual(
      expect.arrayContaining([
        'night: pausing after this experiment',
        'Do not pause',
        'Stop after this experiment',
      ]),
    );
    const stopping = labels(wishing('stop').items);
    expect(stopping).toContain('night: stopping after this experiment');
    expect(stopping.filter(label => /^(Do not|Pause|Stop )/.test(label))).toEqual([]);
  });

  test('a paused study can be resumed and stopped', () => {
    const model = trayModel(card({ state: 'paused', current: null }), null, null, NOW);
    expect(model.icon).toBe('paused');
    const [resume, stop] = model.items.filter(
      item => item.type === 'normal' && item.action?.do === 'request',
    );
    expect(resume).toMatchObject({ label: 'Resume', action: { study: 'study', kind: 'continue' } });
    expect(stop).toMatchObject({ label: 'Stop', action: { kind: 'stop' } });
  });

  test('of what does not run it shows the latest, with nothing to ask of it', () => {
    const model = trayModel(null, card({ state: 'stopped', current: null }), null, NOW);
    expect(model.icon).toBe('idle');
    expect(labels(model.items)).toEqual([
      'night: not running',
      'Best so far: val_bpb 0.997701 in #7, baseline 1.02',
      '-',
      'Open Pawl',
      'Quit Pawl',
    ]);
  });

  test('a number that was not measured is not shown', () => {
    const tally = { ...card().tally, best: null, bestExperiment: null };
    expect(labels(trayModel(card({ tally }), null, null, NOW).items).join()).not.toContain('Best');
  });

  test('an alert comes first, whatever runs', () => {
    const model = trayModel(card(), null, 'night: 3 crashes in a row', NOW);
    expect(model.icon).toBe('attention');
    expect(model.items[0]).toMatchObject({ label: 'night: 3 crashes in a row', action: { do: 'show' } });
    expect(trayModel(null, null, 'something', NOW).icon).toBe('attention');
  });
});

describe('quitting', () => {
  function sequence(changes: Partial<QuitEffects> = {}) {
    const done: string[] = [];
    const quit = new QuitSequence({
      isTraining: () => true,
      confirm: async () => {
        done.push('ask');
        return true;
      },
      steps: [
        { name: 'first', run: () => void done.push('first') },
        { name: 'second', run: async () => void done.push('second') },
      ],
      leave: () => void done.push('leave'),
      onError: step => void done.push(`error in ${step}`),
      limitMs: 1_000,
      ...changes,
    });
    return { quit, done };
  }

  test('asks where something trains, then does its steps in order', async () => {
    const { quit, done } = sequence();
    await quit.request();
    expect(done).toEqual(['ask', 'first', 'second', 'leave']);
  });

  test('asks nothing where nothing trains', async () => {
    const { quit, done } = sequence({ isTraining: () => false });
    await quit.request();
    expect(done).toEqual(['first', 'second', 'leave']);
  });

  test('an answer of no changes nothing, and the next request asks again', async () => {
    let asked = 0;
    const confirm = async () => {
      asked += 1;
      return asked > 1;
    };
    const { quit, done } = sequence({ confirm });
    await quit.request();
    expect(quit.isLeaving).toBe(false);
    expect(done).toEqual([]);
    await quit.request();
    expect(asked).toBe(2);
    expect(done).toEqual(['first', 'second', 'leave']);
  });

  test('asks once, however often it is requested meanwhile', async () => {
    const answer = Promise.withResolvers<boolean>();
    let asked = 0;
    const { quit, done } = sequence({
      confirm: () => {
        asked += 1;
        return answer.promise;
      },
    });
    const all = [quit.request(), quit.request(), quit.request()];
    answer.resolve(true);
    await Promise.all(all);
    expect(asked).toBe(1);
    expect(done).toEqual(['first', 'second', 'leave']);
  });

  test('a second request while it leaves does nothing', async () => {
    const first = Promise.withResolvers<void>();
    const { quit, done } = sequence({ steps: [{ name: 'engine', run: () => first.promise }] });
    const leaving = quit.request();
    await expect.poll(() => quit.isLeaving).toBe(true);
    await quit.request();
    await quit.request({ force: true });
    expect(done).toEqual(['ask']);
    first.resolve();
    await leaving;
    expect(done).toEqual(['ask', 'leave']);
  });

  test('who cannot be asked is not, even while the question stands', async () => {
    const answer = Promise.withResolvers<boolean>();
    const { quit, done } = sequence({ confirm: () => answer.promise });
    const asking = quit.request();
    await quit.request({ force: true });
    answer.resolve(false);
    await asking;
    expect(done).toEqual(['first', 'second', 'leave']);
  });

  test('a step that fails or hangs is told and left behind', async () => {
    const { quit, done } = sequence({
      steps: [
        { name: 'failing', run: () => Promise.reject(new Error('no')) },
        {
          name: 'throwing',
          run: () => {
            throw new Error('no');
          },
        },
        { name: 'hanging', run: () => new Promise(() => {}) },
      ],
      limitMs: 20,
    });
    await quit.request();
    expect(done).toEqual(['ask', 'error in failing', 'error in throwing', 'error in hanging', 'leave']);
  });

  test('a question that cannot be asked keeps the app', async () => {
    const { quit, done } = sequence({ confirm: () => Promise.reject(new Error('no window')) });
    await quit.request();
    expect(done).toEqual(['error in ask']);
    expect(quit.isLeaving).toBe(false);
  });
});
