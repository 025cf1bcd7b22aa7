import { type Faithful, hold } from './faithful.ts';
import { ipcMain } from './ipc-main.ts';
import { Page } from './page.ts';
import { decodePortData, encodePortData, type OpenPort, openPort } from './ports.ts';
import { type DoubleSession, defaultSession } from './session.ts';
import { preventable, StrictEmitter, strict } from './strict.ts';
import { app } from './system.ts';
import type { FromPage } from './worlds.ts';

/** The contents of windows, and their frames. They can load only the app's own pages. */

export type Rectangle = { x: number; y: number; width: number; height: number };

/** The window that shows the contents. */
type Owner = {
  isDestroyed(): boolean;
  /** The page has painted. */
  pageIsReady(): void;
};

let nextId = 1;

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
export class Contents extends StrictEmitter {
  readonly id: number;
  readonly session: DoubleSession = defaultSession;
  readonly self: Electron.WebContents;
  readonly #owner: Owner;
  readonly #frames = new Map<string, Electron.WebFrameMain>();
  /** Open ports, by frame and by their number in the frame. */
  readonly #ports = new Map<string, Map<number, OpenPort>>();
  readonly #page: Promise<Page>;
  #opened: Page | null = null;
  #isLoading = false;
  #isCrashed = false;
  #openHandler: (details: { url: string }) => { action: 'allow' | 'deny' } = () => ({ action: 'allow' });

  constructor(owner: Owner, preload: string, size: Rectangle) {
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
