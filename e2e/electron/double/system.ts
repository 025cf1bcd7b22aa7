import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Faithful, hold } from './faithful.ts';
import { defaultSession } from './session.ts';
import { preventable, StrictEmitter, strict } from './strict.ts';

/** The app's life cycle and its view of the system: displays, power, the keyring, the user's other programs. */

/** Files in the data folder: one names the process that holds it, the others are messages from second starts. */
const LOCK_NAME = 'double.lock';
const SECOND_PREFIX = 'double-second-';
const LOOK_MS = 50;

class DoubleApp extends StrictEmitter {
  readonly isPackaged = process.env.PAWL_DOUBLE_RESOURCES !== undefined;
  readonly #root: string;
  readonly #paths = new Map<string, string>();
  readonly #ready: Promise<void>;
  #isReady = false;

  constructor() {
    super('App');
    this.#root = process.env.PAWL_DOUBLE_APP ?? process.cwd();
    // The app becomes ready when the main script has run, including its top-level awaits.
    this.#ready = new Promise(resolve => {
      setTimeout(() => {
        this.#isReady = true;
        defaultSession.protocol.isReady = true;
        this.emit('ready', preventable({}), {});
        resolve();
      }, 0);
    });
    // Electron runs until it is told to quit.
    setInterval(() => {}, 60_000);
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }

  isReady(): boolean {
    return this.#isReady;
  }

  getVersion(): string {
    return (JSON.parse(readFileSync(join(this.#root, 'package.json'), 'utf8')) as { version: string })
      .version;
  }

  getAppPath(): string {
    return this.#root;
  }

  setPath(name: string, path: string): void {
    this.#paths.set(name, path);
  }

  getPath(name: string): string {
    const path = this.#paths.get(name);
    if (path === undefined) throw new Error(`the double knows no path ${name} before it is set`);
    return path;
  }

  enableSandbox(): void {
    if (this.#isReady) throw new Error('app.enableSandbox() can only be called before app is ready');
  }

  requestSingleInstanceLock(additionalData: Record<string, unknown> = {}): boolean {
    const folder = this.getPath('userData');
    const lock = join(folder, LOCK_NAME);
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch {
      if (isAlive(Number(readFileSync(lock, 'utf8')))) {
        const message = JSON.stringify({ argv: process.argv, cwd: process.cwd(), additionalData });
        writeFileSync(join(folder, `${SECOND_PREFIX}${process.pid}`), message);
        return false;
      }
      writeFileSync(lock, String(process.pid));
    }
    process.on('exit', () => rmSync(lock, { force: true }));
    setInterval(() => this.#takeSeconds(folder), LOOK_MS).unref();
    return true;
  }

  #takeSeconds(folder: string): void {
    for (const name of readdirSync(folder).filter(file => file.startsWith(SECOND_PREFIX))) {
      const file = join(folder, name);
      const text = readFileSync(file, 'utf8');
      // The file may already exist before its text is written.
      if (text === '') continue;
      rmSync(file);
      const { argv, cwd, additionalData } = JSON.parse(text);
      this.emit('second-instance', preventable({}), argv, cwd, additionalData);
    }
  }

  quit(): void {
    const event = preventable({});
    this.emit('before-quit', event);
    if (event.defaultPrevented) return;
    this.emit('will-quit', preventable({}));
    this.exit(0);
  }

  exit(exitCode = 0): void {
    this.emit('quit', preventable({}), exitCode);
    process.exit(exitCode);
  }
}
hold<Faithful<DoubleApp, Electron.App>>();
export const app = strict('app', new DoubleApp());

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const area = { x: 0, y: 0, width: 1920, height: 1080 };
const display = strict('Display', {
  id: 1,
  bounds: area,
  workArea: { ...area, y: 27, height: 1053 },
  scaleFactor: 1,
} satisfies Partial<Electron.Display>) as Electron.Display;

class DoubleScreen extends StrictEmitter {
  constructor() {
    super('Screen');
  }

  getPrimaryDisplay(): Electron.Display {
    return display;
  }

  getAllDisplays(): Electron.Display[] {
    return [display];
  }
}
hold<Faithful<DoubleScreen, Electron.Screen>>();
export const screen = strict('screen', new DoubleScreen());

class DoubleTheme extends StrictEmitter {
  themeSource: 'system' | 'light' | 'dark' = 'system';

  constructor() {
    super('NativeTheme');
  }

  get shouldUseDarkColors(): boolean {
    return this.themeSource === 'dark';
  }
}
hold<Faithful<DoubleTheme, Electron.NativeTheme>>();
export const nativeTheme = strict('nativeTheme', new DoubleTheme());

export const powerMonitor = strict('powerMonitor', new StrictEmitter('PowerMonitor'));

const blockers = new Map<number, string>();
let nextBlocker = 0;
export const powerSaveBlocker = strict('powerSaveBlocker', {
  start(type) {
    nextBlocker += 1;
    blockers.set(nextBlocker, type);
    return nextBlocker;
  },
  stop: id => blockers.delete(id),
  isStarted: id => blockers.has(id),
} satisfies Electron.PowerSaveBlocker);

/** No program is there to open anything. The probe replaces these functions and records their arguments. */
export const shell = strict('shell', {
  openExternal: url => Promise.reject(new Error(`no program opens ${url}`)),
  showItemInFolder: () => {},
} satisfies Partial<Electron.Shell>);

export const net = strict('net', {
  fetch(input, init) {
    return defaultSession.protocol.answer(new Request(String(input), init));
  },
} satisfies Partial<Electron.Net>);

/** A keyring whose output does not show the secret. Only this keyring can decrypt it again. */
const KEYRING = Buffer.from('the double keeps no secrets');
const turn = (bytes: Buffer) =>
  Buffer.from(bytes.map((byte, at) => byte ^ (KEYRING[at % KEYRING.length] ?? 0)));
let isPlainAllowed = false;
const backend = process.env.PAWL_DOUBLE_KEYRING === 'none' ? 'basic_text' : 'gnome_libsecret';
export const safeStorage = strict('safeStorage', {
  getSelectedStorageBackend: () => backend,
  isAsyncEncryptionAvailable: async () => backend !== 'basic_text' || isPlainAllowed,
  setUsePlainTextEncryption(isAllowed) {
    isPlainAllowed = isAllowed;
  },
  async encryptStringAsync(text) {
    if (backend === 'basic_text' && !isPlainAllowed) throw new Error('there is no keyring');
    return Buffer.concat([Buffer.from('v11'), turn(Buffer.from(text, 'utf8'))]);
  },
  async decryptStringAsync(encrypted) {
    if (encrypted.toString('latin1', 0, 3) !== 'v11') throw new Error('not of this keyring');
    return { result: turn(encrypted.subarray(3)).toString('utf8'), shouldReEncrypt: false };
  },
} satisfies Partial<Electron.SafeStorage>);
