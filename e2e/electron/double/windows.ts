import { type Faithful, hold } from './faithful.ts';
import { preventable, StrictEmitter, strict } from './strict.ts';
import { app, screen } from './system.ts';
import { Contents, type Rectangle } from './web-contents.ts';

/**
 * Windows. The double can create only the kind that Pawl uses: sandboxed, isolated, and with a preload that is a
 * single file.
 */

let nextId = 1;
const windows = new Set<BrowserWindow>();

export class BrowserWindow extends StrictEmitter {
  readonly id: number;
  readonly #contents: Contents;
  readonly #self: BrowserWindow;
  #bounds: Rectangle;
  #isVisible = false;
  #isMinimized = false;
  #isMaximized = false;
  #isFocused = false;
  #isDestroyed = false;
  #isReady = false;

  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super('BrowserWindow');
    const { webPreferences: { preload, sandbox, contextIsolation, nodeIntegration, webviewTag } = {} } =
      options;
    if (!sandbox || !contextIsolation || nodeIntegration || webviewTag || !preload) {
      throw new Error('the double makes sandboxed, isolated windows with a preload only');
    }
    this.id = nextId;
    nextId += 1;
    const { width = 800, height = 600 } = options;
    const { workArea } = screen.getPrimaryDisplay();
    this.#bounds = {
      x: options.x ?? workArea.x + Math.round((workArea.width - width) / 2),
      y: options.y ?? workArea.y + Math.round((workArea.height - height) / 2),
      width,
      height,
    };
    this.#isVisible = options.show ?? true;
    this.#contents = new Contents(this, preload, this.#bounds);
    this.#self = strict('BrowserWindow', this);
    windows.add(this.#self);
    app.emit('web-contents-created', preventable({}), this.#contents.self);
    app.emit('browser-window-created', preventable({}), this.#self);
    // biome-ignore lint/correctness/noConstructorReturn: callers need the proxy, which rejects missing members
    return this.#self;
  }

  static getAllWindows(): BrowserWindow[] {
    return [...windows];
  }

  get webContents(): Electron.WebContents {
    return this.#contents.self;
  }

  loadURL(url: string): Promise<void> {
    return this.#contents.loadURL(url);
  }

  show(): void {
    const wasVisible = this.#isVisible;
    this.#isVisible = true;
    if (!wasVisible) this.emit('show');
    this.focus();
  }

  hide(): void {
    this.#isVisible = false;
    this.blur();
    this.emit('hide');
  }

  focus(): void {
    if (this.#isFocused || !this.#isVisible) return;
    this.#isFocused = true;
    this.emit('focus');
  }

  blur(): void {
    if (!this.#isFocused) return;
    this.#isFocused = false;
    this.emit('blur');
  }

  minimize(): void {
    this.#isMinimized = true;
    this.blur();
    this.emit('minimize');
  }

  restore(): void {
    this.#isMinimized = false;
    this.emit('restore');
  }

  maximize(): void {
    this.#isMaximized = true;
    this.emit('maximize');
  }

  unmaximize(): void {
    this.#isMaximized = false;
    this.emit('unmaximize');
  }

  isVisible(): boolean {
    return this.#isVisible;
  }

  isFocused(): boolean {
    return this.#isFocused;
  }

  isMinimized(): boolean {
    return this.#isMinimized;
  }

  isMaximized(): boolean {
    return this.#isMaximized;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  getBounds(): Rectangle {
    return { ...this.#bounds };
  }

  getNormalBounds(): Rectangle {
    return { ...this.#bounds };
  }

  setBounds(bounds: Partial<Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...bounds };
    this.emit('move');
    this.emit('resize');
  }

  /** Does the same as a click on the window's close button. A listener can refuse it. */
  close(): void {
    if (this.#isDestroyed) return;
    const event = preventable({});
    this.emit('close', event);
    if (!event.defaultPrevented) this.destroy();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#isVisible = false;
    this.#isFocused = false;
    windows.delete(this.#self);
    void this.#contents.closePage();
    this.emit('closed');
    this.#contents.emit('destroyed');
    if (windows.size === 0) app.emit('window-all-closed');
  }

  /** Not part of Electron: reports that the page has painted. */
  pageIsReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.emit('ready-to-show');
  }
}
hold<Faithful<Omit<BrowserWindow, 'pageIsReady'>, Electron.BrowserWindow>>();
