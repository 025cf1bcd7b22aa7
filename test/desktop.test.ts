import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StrictEmitter, strict } from '../e2e/electron/double/strict.ts';
import { isCallMessage, MAX_MESSAGE_CHARACTERS } from '../src/engine/api/call-envelope.ts';
import { CrashBudget } from '../src/main/crash-budget.ts';
import { externalAddress } from '../src/main/external-address.ts';
import { existingFolder, launchPath } from '../src/main/launch-folder.ts';
import { menuTemplate } from '../src/main/menu.ts';
import { type QuitEffects, QuitSequence } from '../src/main/quit.ts';
import { refuseSender } from '../src/main/sender.ts';
import { type TrayItem, trayModel } from '../src/main/tray-model.ts';
import { respond } from '../src/main/window-response.ts';
import { MIN_HEIGHT, MIN_WIDTH, restoreWindowState } from '../src/main/window-state.ts';
import { contentSecurityPolicy } from '../src/shared/content-security-policy.ts';
import { DEFAULT_AUDIT, DEFAULT_BUDGET, DEFAULT_METRIC } from '../src/shared/contract-defaults.ts';
import type { StudyCard } from '../src/shared/notebook.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

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
      keepRate: 3 / 11,
      baseline: 1.02,
      best: 0.99770112,
      bestExperiment: 7,
    },
    cells: 13,
    activeAt: NOW,
    ...{ inFlight: [], lanes: [] },
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

describe('the window', () => {
  const screen = { x: 0, y: 25, width: 1920, height: 1055 };
  const right = { x: 1920, y: 0, width: 1280, height: 1024 };
  const at = (x: number, y: number, width = 1000, height = 700) => ({
    ...{ x, y, width, height },
    isMaximized: false,
  });

  test('opens where it was', () => {
    const state = { ...at(2000, 100), isMaximized: true };
    expect(restoreWindowState(state, [screen, right])).toEqual(state);
  });

  test.each([
    ['on a display that is gone', at(2000, 100)],
    ['above the top', at(100, -200)],
    ['below the bottom', at(100, 1075)],
    ['with a corner in sight only', at(1850, 100)],
    ['to the left of everything', at(-950, 100)],
  ])('opens in the middle where it was %s', (_where, state) => {
    expect(restoreWindowState(state, [screen])).toMatchObject({ x: null, y: null, width: 1000, height: 700 });
  });

  test('fits the display it is on', () => {
    expect(restoreWindowState(at(0, 25, 5000, 5000), [screen])).toMatchObject({ width: 1920, height: 1055 });
    expect(restoreWindowState(at(0, 25, 10, 10), [screen])).toMatchObject({
      width: MIN_WIDTH,
      height: MIN_HEIGHT,
    });
  });

  test('whatever was stored gives a window that can be used', () => {
    fc.assert(
      fc.property(fc.jsonValue(), stored => {
        const { x, y, width, height } = restoreWindowState(stored, [screen]);
        expect(width).toBeGreaterThanOrEqual(MIN_WIDTH);
        expect(height).toBeGreaterThanOrEqual(MIN_HEIGHT);
        expect(x === null).toBe(y === null);
      }),
    );
    expect(restoreWindowState(null, [])).toMatchObject({ x: null, width: 1320 });
  });

  test('three crashes a minute are mended, a fourth is not', () => {
    const budget = new CrashBudget();
    expect([0, 10_000, 20_000, 59_999].map(at => budget.mayReload(at))).toEqual([true, true, true, false]);
    expect(budget.mayReload(60_001)).toBe(true);
    expect(budget.mayReload(60_002)).toBe(false);
    budget.reset();
    expect(budget.mayReload(60_003)).toBe(true);
  });

  test('the packaged menu has nothing for developers', () => {
    const texts = (isPackaged: boolean) =>
      JSON.stringify(menuTemplate({ isPackaged, isMac: false, openProject: () => {} }));
    expect(texts(false)).toContain('toggleDevTools');
    expect(texts(true)).not.toMatch(/toggleDevTools|reload/i);
  });
});

describe('the protocol', () => {
  async function builtWindow(): Promise<string> {
    const folder = join(await temporaryFolder(), 'renderer');
    await writeFiles(folder, {
      'index.html': '<!doctype html>',
      'assets/main-abc.js': 'export {}',
      'assets/style.css': '',
      'assets/data.json': '{}',
      '../secret.js': 'secret',
      '../renderer-other/secret.js': 'secret',
    });
    await mkdir(join(folder, 'folder.js'));
    return folder;
  }

  test.each([
    ['pawl://app/', 'text/html; charset=utf-8'],
    ['pawl://app/index.html', 'text/html; charset=utf-8'],
    ['pawl://app/index.html?theme=dark#top', 'text/html; charset=utf-8'],
    ['pawl://app/assets/main-abc.js', 'text/javascript; charset=utf-8'],
    ['pawl://app/assets/style.css', 'text/css; charset=utf-8'],
  ])('serves %s', async (address, type) => {
    const response = await respond(await builtWindow(), 'GET', address);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-security-policy')).toBe(contentSecurityPolicy("'none'"));
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test.each([
    'pawl://app',
    'pawl://app/missing.js',
    'pawl://app/folder.js',
    'pawl://app/assets',
    'pawl://app/assets/data.json',
    'pawl://app/../secret.js',
    'pawl://app/%2e%2e/secret.js',
    'pawl://app/..%2fsecret.js',
    'pawl://app/..%5csecret.js',
    'pawl://app/assets/../../secret.js',
    'pawl://app/../renderer-other/secret.js',
    'pawl://app/%00/secret.js',
    'pawl://app/%zz.js',
    'pawl://other/index.html',
    'pawl://app@evil/index.html',
    'https://app/index.html',
    'file:///etc/passwd',
  ])('refuses %s', async address => {
    const response = await respond(await builtWindow(), 'GET', address);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('no such file\n');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('refuses everything but GET', async () => {
    for (const method of ['POST', 'PUT', 'HEAD', 'OPTIONS', 'get']) {
      expect((await respond(await builtWindow(), method, 'pawl://app/')).status).toBe(405);
    }
  });

  test('the policy begins with nothing and allows no text to run', () => {
    const policy = contentSecurityPolicy("'none'");
    expect(policy.startsWith("default-src 'none'; ")).toBe(true);
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline|\*|http/);
    for (const directive of ['base-uri', 'form-action', 'frame-ancestors']) {
      expect(policy).toContain(`${directive} 'none'`);
    }
  });
});

describe('who is answered', () => {
  const top = { origin: 'pawl://app', url: 'pawl://app/', parent: null };

  test.each([
    ['our page', top, true, null],
    ['a frame that is gone', null, true, 'the frame is gone'],
    ['a frame in our page', { ...top, parent: top }, true, 'not the top frame'],
    ['another window', top, false, 'not our window'],
    ['another site', { ...top, origin: 'https://example.com' }, true, 'wrong origin'],
    ['a page on its way elsewhere', { ...top, url: 'https://example.com/' }, true, 'wrong origin'],
    ['a host that begins like ours', { ...top, url: 'pawl://app.evil/' }, true, 'wrong origin'],
  ])('%s', (_who, frame, isOurs, why) => {
    expect(refuseSender(frame, isOurs)).toBe(why);
  });

  test.each([
    ['https://example.com', 'https://example.com/'],
    ['https://example.com/a?b#c', 'https://example.com/a?b#c'],
    ['http://example.com/', null],
    ['file:///etc/passwd', null],
    ['javascript:alert(1)', null],
    ['https://user:word@example.com/', null],
    ['mailto:somebody@example.com', null],
    ['vscode://file/etc/passwd', null],
    ['//example.com', null],
    ['', null],
  ])('an address to open elsewhere: %s', (text, address) => {
    expect(externalAddress(text)).toBe(address);
  });

  test.each([
    ['{"i":"1","p":{"u":"/app/ping"}}', true],
    ['{"i":"1","p":{"u":"/app/ping","b":{"json":{"a":1}},"h":{"last-event-id":"3"}}}', true],
    ['{"i":"1","t":4}', true],
    ['{"i":"1","t":4,"p":null}', true],
    ['{"i":"1"}', false],
    ['{"i":"1","t":3,"p":{"e":"message","d":1}}', false],
    ['{"i":"1","p":{"u":"app/ping"}}', false],
    ['{"i":"1","p":{"u":"/app/ping","h":{"Content-Type":"multipart/form-data"}}}', false],
    ['{"i":"1","p":{"u":"/app/ping","h":"x"}}', false],
    ['nonsense', false],
    ['', false],
    [new ArrayBuffer(8), false],
    [null, false],
    [{ i: '1', p: { u: '/app/ping' } }, false],
    ['x'.repeat(MAX_MESSAGE_CHARACTERS + 1), false],
  ])('a message to the calls, case %#', (data, isOne) => {
    expect(isCallMessage(data)).toBe(isOne);
  });
});

test('the folder an app was started with is its first argument that is no switch', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'file'), '');
  expect(launchPath(['electron', '.', '--flag', 'repo'], 2, '/work')).toBe('/work/repo');
  expect(launchPath(['pawl-desktop', '/repo'], 1, '/work')).toBe('/repo');
  expect(launchPath(['pawl-desktop', '--no-sandbox', ''], 1, '/work')).toBeNull();
  expect(await existingFolder(folder)).toBe(folder);
  expect(await existingFolder(join(folder, 'file'))).toBeNull();
  expect(await existingFolder(join(folder, 'missing'))).toBeNull();
  expect(await existingFolder(null)).toBeNull();
});

test('the fuses are set, and what is loaded as a file lies outside the archive', async () => {
  const text = await readFile(new URL('../electron-builder.yml', import.meta.url), 'utf8');
  for (const line of [
    'runAsNode: false',
    'enableCookieEncryption: true',
    'enableNodeOptionsEnvironmentVariable: false',
    'enableNodeCliInspectArguments: false',
    'enableEmbeddedAsarIntegrityValidation: true',
    'onlyLoadAppFromAsar: true',
    'loadBrowserProcessSpecificV8Snapshot: false',
    'grantFileProtocolExtraPrivileges: false',
    "- '!node_modules/**'",
    'to: node_modules/better-sqlite3\n',
    'to: node_modules/node-pty\n',
    'to: node_modules/dugite\n',
  ]) {
    expect(text).toContain(line);
  }
});

describe('the double of Electron', () => {
  test('refuses what it does not have, by name', () => {
    const part = strict('part', { has: 1 }) as { has: number; lacks?: number };
    expect(part.has).toBe(1);
    expect(() => part.lacks).toThrow('the double of Electron has no part.lacks');
    expect(() => {
      part.lacks = 1;
    }).toThrow('part.lacks');
  });

  test('knows the events that Electron declares, inherited ones too, and no others', () => {
    const window = new StrictEmitter('BrowserWindow');
    expect(() => window.on('ready-to-show', () => {})).not.toThrow();
    expect(() => window.once('closed', () => {})).not.toThrow();
    expect(() => window.on('closing', () => {})).toThrow('declares no event closing');
  });
});
