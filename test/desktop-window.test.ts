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
import { refuseSender } from '../src/main/sender.ts';
import { respond } from '../src/main/window-response.ts';
import { MIN_HEIGHT, MIN_WIDTH, restoreWindowState } from '../src/main/window-state.ts';
import { contentSecurityPolicy } from '../src/shared/content-security-policy.ts';
import { temporaryFolder, writeFiles } from './support/scaffold.ts';

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
