import { type Faithful, hold } from './faithful.ts';
import { ipcMain } from './ipc-main.ts';
import { Page } from './page.ts';
import { decodePortData, encodePortData, type OpenPort, openPort } from './ports.ts';
import { type DoubleSession, defaultSession } from './session.ts';
import { preventable, StrictEmitter, strict } from './strict.ts';
import { app, screen } from './system.ts';
import type { FromPage } from './worlds.ts';

/**
 * Windows, their contents and frames. The double can create only the kind of window that Pawl uses: sandboxed,
 * isolated, and with a preload that is a single file. It can load only the app's own pages.
 */

type Rectangle = { x: number; y: number; width: number; height: number };

let nextId = 1;
const windows = new Set<BrowserWindow>();

/** One frame of a page. It stays the same object as long as the frame exists. */
class Frame extends StrictEmitter {
  readonly frameToken: string;
  readonly #contents: Contents;

  constructor(contents: Contents, id: string) {
    super('WebFrameMain');
    this.#contents = contents;
    this.frameToken = id;
  }

  get url(): string {
    return this.#contents.pageFrame(this.frameToken)?.url ?? '';
  }

  get origin(): string {
    return this.#contents.pageFrame(this.frameToken)?.origin ?? 'null';
  }

  get parent(): Electron.WebFrameMain | null {
    const parent = this.#contents.pageFrame(this.frameToken)?.parentId ?? null;
    return parent === null ? null : this.#contents.frame(parent);
  }

  get frames(): Electron.WebFrameMain[] {
    return this.#contents.framesBelow(this.frameToken);
  }

  isDestroyed(): boolean {
    return this.#contents.pageFrame(this.frameToken) === undefined;
  }
}
hold<Faithful<Frame, Electron.WebFrameMain>>();

/** The page of a window. */
class Contents extends StrictEmitter {
  readonly id: number;
  readonly session: DoubleSession = defaultSession;
  readonly self: Electron.WebContents;
  readonly #owner: BrowserWindow;
  readonly #frames = new Map<string, Electron.WebFrameMain>();
  /** Open ports, by frame and by their number in the frame. */
  readonly #ports = new Map<string, Map<number, OpenPort>>();
  readonly #page: Promise<Page>;
  #opened: Page | null = null;
  #isLoading = false;
  #isCrashed = false;
  #openHandler: (details: { url: string }) => { action: 'allow' | 'deny' } = () => ({ action: 'allow' });

  constructor(owner: BrowserWindow, preload: string, size: Rectangle) {
    super('WebContents');
    this.#owner = owner;
    this.id = nextId;
    nextId += 1;
    this.self = strict('WebContents', this) as unknown as Electron.WebContents;
    this.#page = Page.open(
      {
        preload,
        serve: request => this.session.protocol.answer(request),
        mayNavigate: (url, frameId) => this.#mayNavigate(url, frameId),
        mayOpenWindow: url => this.#openHandler({ url }).action === 'allow',
        onMessage: (message, frameId) => this.#receive(message, frameId),
        onLoadStarted: () => {
          this.#isLoading = true;
        },
        onLoaded: () => {
          this.#isLoading = false;
          this.#isCrashed = false;
          this.emit('did-finish-load');
          this.#owner.pageIsReady();
        },
        onLoadStopped: () => {
          this.#isLoading = false;
          this.emit('did-stop-loading');
        },
        onCrashed: () => this.#crashed(),
        onFrameLeft: frameId => {
          for (const port of this.#ports.get(frameId)?.values() ?? []) port.closed();
          this.#ports.delete(frameId);
        },
        isPermitted: permission => this.session.isPermitted(this.self, permission),
      },
      { width: size.width, height: size.height },
    );
    this.#page.then(
      page => {
        this.#opened = page;
      },
      error => {
        console.error(error);
        process.exit(70);
      },
    );
  }

  pageFrame(id: string) {
    return this.#opened?.frames.get(id);
  }

  frame(id: string): Electron.WebFrameMain {
    const known = this.#frames.get(id);
    if (known) return known;
    const frame = strict('WebFrameMain', new Frame(this, id)) as unknown as Electron.WebFrameMain;
    this.#frames.set(id, frame);
    return frame;
  }

  framesBelow(id: string): Electron.WebFrameMain[] {
    const all = [...(this.#opened?.frames.values() ?? [])];
    return all.filter(frame => frame.parentId === id).map(frame => this.frame(frame.id));
  }

  get mainFrame(): Electron.WebFrameMain {
    return this.frame(this.#opened?.mainFrameId ?? '');
  }

  getURL(): string {
    return this.#opened?.frames.get(this.#opened.mainFrameId)?.url ?? '';
  }

  isLoading(): boolean {
    return this.#isLoading;
  }

  isDestroyed(): boolean {
    return this.#owner.isDestroyed();
  }

  isCrashed(): boolean {
    return this.#isCrashed;
  }

  setWindowOpenHandler(
    handler: (details: Electron.HandlerDetails) => Electron.WindowOpenHandlerResponse,
  ): void {
    this.#openHandler = details =>
      handler({
        url: details.url,
        frameName: '',
        features: '',
        disposition: 'new-window',
        referrer: { url: '', policy: 'default' },
      });
  }

  async loadURL(url: string): Promise<void> {
    this.#isLoading = true;
    const page = await this.#page;
    await page.load(url);
  }

  reload(): void {
    this.#isLoading = true;
    void this.#page.then(page => page.reload()).catch(error => console.error(error));
  }

  send(channel: string, ...args: unknown[]): void {
    this.#opened?.tell({ type: 'ipc', channel, args });
  }

  async executeJavaScript(code: string): Promise<unknown> {
    return (await this.#page).evaluate(code);
  }

  forcefullyCrashRenderer(): void {
    void this.#page.then(page => page.crash());
  }

  /** Not part of Electron: tells the page the paths of the files that the test will drop. */
  async tellFiles(paths: readonly string[]): Promise<void> {
    (await this.#page).tell({ type: 'files', paths });
  }

  /** Not part of Electron: the window calls this when it is destroyed. */
  async closePage(): Promise<void> {
    await (await this.#page).close();
  }

  #mayNavigate(url: string, frameId: string): boolean {
    const isMainFrame = frameId === this.#opened?.mainFrameId;
    const details = { url, isSameDocument: false, isMainFrame, frame: this.frame(frameId), initiator: null };
    const first = preventable(details);
    this.emit('will-frame-navigate', first);
    const second = preventable(details);
    if (isMainFrame) this.emit('will-navigate', second);
    return !first.defaultPrevented && !second.defaultPrevented;
  }

  #receive(message: FromPage, frameId: string): void {
    const ports = this.#ports.get(frameId) ?? new Map<number, OpenPort>();
    this.#ports.set(frameId, ports);
    switch (message.type) {
      case 'port':
        ports.get(message.id)?.receive(decodePortData(message.data));
        return;
      case 'port-closed':
        ports.get(message.id)?.closed();
        ports.delete(message.id);
        return;
      case 'ipc': {
        const opened = message.ports.map(id => {
          const port = openPort({
            send: data => this.#opened?.tell({ type: 'port', id, data: encodePortData(data) }, frameId),
            close: () => this.#opened?.tell({ type: 'port-closed', id }, frameId),
          });
          ports.set(id, port);
          return port.port;
        });
        const event = {
          type: 'frame',
          sender: this.self,
          senderFrame: this.frame(frameId),
          ports: opened as unknown as Electron.MessagePortMain[],
        } satisfies Partial<Electron.IpcMainEvent>;
        ipcMain.emit(message.channel, strict('IpcMainEvent', event), ...message.args);
      }
    }
  }

  #crashed(): void {
    this.#isCrashed = true;
    this.#isLoading = false;
    const details = { reason: 'crashed', exitCode: 11 } satisfies Electron.RenderProcessGoneDetails;
    this.emit('render-process-gone', preventable({}), details);
    app.emit('render-process-gone', preventable({}), this.self, details);
  }
}
type ContentsOfElectron = Omit<
  Contents,
  'self' | 'pageFrame' | 'frame' | 'framesBelow' | 'tellFiles' | 'closePage' | 'session'
>;
hold<Faithful<ContentsOfElectron, Electron.WebContents>>();

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
