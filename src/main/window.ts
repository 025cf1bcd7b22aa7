import { app, BrowserWindow, nativeTheme, screen } from 'electron';
import { CHANNELS, type OpenTarget } from '../shared/desktop-bridge.ts';
import { WINDOW_URL } from './window-response.ts';
import { MIN_HEIGHT, MIN_WIDTH, restoreWindowState, type WindowState } from './window-state.ts';

/** The background colour of the first frame, so that it does not flash; the same as in the style sheet. */
const PAPER = { light: '#f8f6f1', dark: '#141518' };
/** A window that is dragged moves many times per second. */
const SAVE_DELAY_MS = 500;

export type WindowOptions = {
  readonly preload: string;
  readonly icon: string;
  readonly readState: () => unknown;
  readonly saveState: (state: WindowState) => void;
  /** Whether closing the window only hides it. */
  readonly staysHidden: () => boolean;
  readonly onFocus: () => void;
};

/** The single window. It is created when it is first shown, and again after it was closed. */
export class MainWindow {
  readonly #options: WindowOptions;
  #window: BrowserWindow | null = null;
  #saveTimer: NodeJS.Timeout | null = null;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Null while there is none. */
  get browserWindow(): BrowserWindow | null {
    return this.#window;
  }

  get isFocused(): boolean {
    return this.#window?.isFocused() ?? false;
  }

  isOurs(contents: object): boolean {
    return this.#window !== null && contents === this.#window.webContents;
  }

  /** Brings the window to the front from any state. */
  show(): void {
    const window = this.#window ?? this.#create();
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  /** Shows the window, and in it a study or an experiment. */
  open(target: OpenTarget): void {
    this.show();
    this.#send(CHANNELS.open, target);
  }

  /** Shows the window and offers the folder as a project. */
  openPath(path: string): void {
    this.show();
    this.#send(CHANNELS.openPath, path);
  }

  /** Stores the window's position right away. */
  saveNow(): void {
    if (this.#saveTimer) clearTimeout(this.#saveTimer);
    this.#saveTimer = null;
    const window = this.#window;
    if (!window) return;
    const { x, y, width, height } = window.getNormalBounds();
    this.#options.saveState({ x, y, width, height, isMaximized: window.isMaximized() });
  }

  /** A page that is still loading gets it afterwards. */
  #send(channel: string, value: unknown): void {
    const contents = this.#window?.webContents;
    if (!contents) return;
    // A change of only the address also counts as loading, but ends without "did-finish-load".
    if (contents.isLoading()) contents.once('did-stop-loading', () => contents.send(channel, value));
    else contents.send(channel, value);
  }

  #create(): BrowserWindow {
    const { preload, icon, readState, staysHidden, onFocus } = this.#options;
    const primary = screen.getPrimaryDisplay();
    const others = screen.getAllDisplays().filter(display => display.id !== primary.id);
    const state = restoreWindowState(
      readState(),
      [primary, ...others].map(display => display.workArea),
    );
    const window = new BrowserWindow({
      ...(state.x === null || state.y === null ? {} : { x: state.x, y: state.y }),
      width: state.width,
      height: state.height,
      minWidth: MIN_WIDTH,
      minHeight: MIN_HEIGHT,
      show: false,
      title: 'Pawl',
      icon,
      backgroundColor: nativeTheme.shouldUseDarkColors ? PAPER.dark : PAPER.light,
      webPreferences: {
        preload,
        devTools: !app.isPackaged,
        spellcheck: false,
        webviewTag: false,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        nodeIntegrationInWorker: false,
        webSecurity: true,
        contextIsolation: true,
        // Last, so that nothing above can override it.
        sandbox: true,
      },
    });
    this.#window = window;
    if (state.isMaximized) window.maximize();
    window.once('ready-to-show', () => window.show());
    window.on('focus', onFocus);
    for (const event of ['resize', 'move', 'maximize', 'unmaximize'] as const) {
      window.on(event as 'resize', () => this.#saveLater());
    }
    window.on('close', event => {
      this.saveNow();
      if (!staysHidden()) return;
      event.preventDefault();
      window.hide();
    });
    window.on('closed', () => {
      this.#window = null;
    });
    // The window itself shows a failure.
    window.loadURL(WINDOW_URL).catch(() => {});
    return window;
  }

  #saveLater(): void {
    this.#saveTimer ??= setTimeout(() => this.saveNow(), SAVE_DELAY_MS);
  }
}
