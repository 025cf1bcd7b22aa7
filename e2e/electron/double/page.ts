import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Protocol } from './cdp.ts';
import { type Chromium, startChromium } from './chromium.ts';
import { app } from './system.ts';
import { type FromPage, makeCarrier, pageWorld, preloadWorld, type ToPage } from './worlds.ts';

/**
 * A page of the Chromium that replaces Electron's windows. The page sees the app's own scheme as an `https:` origin.
 * Its requests never leave Chromium: this module passes each to the app's protocol handler or refuses it.
 *
 * Not covered: navigations that send no request (`about:blank`, `blob:`), because they cannot be stopped from outside.
 */

const SHOWN_ORIGIN = 'https://app.pawl.test';
const APP_ORIGIN = 'pawl://app';
const WORLD = 'Electron Isolated Context';

/** The calls that a page makes to the window it belongs to. */
export type PageHost = {
  /** Answers a request for the app's own scheme. */
  readonly serve: (request: Request) => Promise<Response>;
  /** Decides whether a navigation that the app did not start may go on. */
  readonly mayNavigate: (url: string, frameId: string) => boolean;
  /** Decides whether the page may open another window. */
  readonly mayOpenWindow: (url: string) => boolean;
  readonly onMessage: (message: FromPage, frameId: string) => void;
  readonly onLoadStarted: () => void;
  readonly onLoaded: () => void;
  /** Is also called when only the address has changed and nothing was loaded. */
  readonly onLoadStopped: () => void;
  readonly onCrashed: () => void;
  /** The JavaScript worlds of a frame are gone, and so are all their ports. */
  readonly onFrameLeft: (frameId: string) => void;
  readonly isPermitted: (permission: string) => boolean;
  readonly preload: string;
};

export type PageFrame = {
  readonly id: string;
  readonly parentId: string | null;
  url: string;
  origin: string;
};

const toShown = (url: string) =>
  url.startsWith(APP_ORIGIN) ? SHOWN_ORIGIN + url.slice(APP_ORIGIN.length) : url;
const toApp = (url: string) =>
  url.startsWith(SHOWN_ORIGIN) ? APP_ORIGIN + url.slice(SHOWN_ORIGIN.length) : url;

let chromium: Promise<Chromium> | null = null;
/** Callers that wait for a new page, oldest first. The first gets the next target that has no opener. */
const expected: ((target: Protocol.Target.attachedToTargetPayload) => void)[] = [];

/** The one Chromium of this process. */
export function theChromium(): Promise<Chromium> {
  chromium ??= startChromium(app.getPath('userData')).then(async started => {
    const { cdp } = started;
    cdp.on('Target.attachedToTarget', payload => {
      const { targetInfo, sessionId } = payload;
      if (targetInfo.type !== 'page') {
        // The app has no workers or similar targets, but if one appears, it must not wait for ever.
        cdp.send('Runtime.runIfWaitingForDebugger', {}, sessionId).catch(() => {});
        return;
      }
      const isBlank = targetInfo.url === 'about:blank' || targetInfo.url === '';
      const take = targetInfo.openerId || !isBlank ? undefined : expected.shift();
      if (take) {
        take(payload);
        return;
      }
      // The new page shares the thread of its opener, so the opener would wait too.
      const { targetId } = targetInfo;
      void cdp.send('Runtime.runIfWaitingForDebugger', {}, sessionId).catch(() => {});
      void cdp.send('Target.closeTarget', { targetId }).catch(() => {});
    });
    await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
    return started;
  });
  return chromium;
}

export class Page {
  readonly frames = new Map<string, PageFrame>();
  readonly #chromium: Chromium;
  readonly #host: PageHost;
  readonly #session: string;
  readonly #secret = `pawl${randomUUID().replaceAll('-', '')}`;
  /** The execution context of the preload's world, by frame. */
  readonly #contexts = new Map<string, number>();
  readonly targetId: string;
  mainFrameId = '';
  /** The navigation that the app has started, if any. */
  #asked: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;

  private constructor(chromium: Chromium, host: PageHost, target: Protocol.Target.attachedToTargetPayload) {
    this.#chromium = chromium;
    this.#host = host;
    this.#session = target.sessionId;
    this.targetId = target.targetInfo.targetId;
  }

  static async open(
    host: PageHost,
    size: { readonly width: number; readonly height: number },
  ): Promise<Page> {
    const chromium = await theChromium();
    const attached = new Promise<Protocol.Target.attachedToTargetPayload>(resolve => expected.push(resolve));
    await chromium.cdp.send('Target.createTarget', { url: 'about:blank', newWindow: true, ...size });
    const page = new Page(chromium, host, await attached);
    await page.#prepare();
    return page;
  }

  #send<M extends Parameters<Chromium['cdp']['send']>[0]>(
    method: M,
    params?: Protocol.CommandParameters[M],
  ): Promise<Protocol.CommandReturnValues[M]> {
    return this.#chromium.cdp.send(method, params, this.#session);
  }

  #on<E extends keyof Protocol.Events>(event: E, listener: (params: Protocol.Events[E]) => void): void {
    this.#chromium.cdp.on(event, listener, this.#session);
  }

  async #prepare(): Promise<void> {
    const preload = readFileSync(this.#host.preload, 'utf8');
    const secret = JSON.stringify(this.#secret);
    this.#follow();
    await Promise.all([
      this.#send('Page.enable'),
      this.#send('Runtime.enable'),
      this.#send('Inspector.enable'),
      // This keeps the window from loading the code of unopened views, which takes as long as everything else.
      this.#send('Emulation.setDataSaverOverride', { dataSaverEnabled: true }),
      this.#send('Fetch.enable', { patterns: [{ urlPattern: '*' }] }),
      this.#send('Runtime.addBinding', { name: `${this.#secret}-send`, executionContextName: WORLD }),
      this.#send('Page.addScriptToEvaluateOnNewDocument', {
        worldName: WORLD,
        source: `(${preloadWorld})(${secret}, ${makeCarrier}, function (require, module, exports) {\n${preload}\n})`,
      }),
      this.#send('Page.addScriptToEvaluateOnNewDocument', {
        source: `(${pageWorld})(${secret}, ${makeCarrier})`,
      }),
      ...(await this.#permissions()),
    ]);
    const { frameTree } = await this.#send('Page.getFrameTree');
    this.mainFrameId = frameTree.frame.id;
    this.#setFrame(frameTree.frame);
    await this.#send('Runtime.runIfWaitingForDebugger');
  }

  /** Headless Chromium asks nobody for permissions, so this sets the app's answers beforehand. */
  async #permissions(): Promise<readonly Promise<unknown>[]> {
    const names = ['geolocation', 'notifications', 'midi', 'clipboard-read', 'camera', 'microphone'] as const;
    return names.map(name =>
      this.#chromium.cdp.send('Browser.setPermission', {
        permission: { name },
        setting: this.#host.isPermitted(name) ? 'granted' : 'denied',
        origin: SHOWN_ORIGIN,
      }),
    );
  }

  #follow(): void {
    this.#on('Page.frameAttached', ({ frameId, parentFrameId }) => {
      const origin = this.frames.get(parentFrameId)?.origin ?? '';
      this.frames.set(frameId, { id: frameId, parentId: parentFrameId, url: 'about:blank', origin });
    });
    this.#on('Page.frameDetached', ({ frameId }) => {
      this.frames.delete(frameId);
      this.#leave(frameId);
    });
    this.#on('Page.frameNavigated', ({ frame }) => this.#setFrame(frame));
    this.#on('Page.frameStartedLoading', ({ frameId }) => {
      if (frameId === this.mainFrameId) this.#host.onLoadStarted();
    });
    this.#on('Page.frameStoppedLoading', ({ frameId }) => {
      if (frameId === this.mainFrameId) this.#host.onLoadStopped();
    });
    this.#on('Page.loadEventFired', () => {
      this.#asked?.resolve();
      this.#asked = null;
      this.#host.onLoaded();
    });
    this.#on('Page.windowOpen', ({ url }) => {
      if (this.#host.mayOpenWindow(toApp(url))) throw new Error('the double opens no further windows');
    });
    this.#on('Inspector.targetCrashed', () => {
      for (const frameId of [...this.#contexts.keys()]) this.#leave(frameId);
      this.#host.onCrashed();
    });
    this.#on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === WORLD) this.#contexts.set(String(context.auxData?.frameId), context.id);
    });
    this.#on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      for (const [frameId, id] of this.#contexts) if (id === executionContextId) this.#leave(frameId);
    });
    this.#on('Runtime.executionContextsCleared', () => {
      for (const frameId of [...this.#contexts.keys()]) this.#leave(frameId);
    });
    this.#on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      const frameId = [...this.#contexts].find(([, id]) => id === executionContextId)?.[0];
      if (name !== `${this.#secret}-send` || frameId === undefined) return;
      this.#host.onMessage(JSON.parse(payload) as FromPage, frameId);
    });
    this.#on('Fetch.requestPaused', paused => void this.#answer(paused).catch(() => {}));
  }

  #leave(frameId: string): void {
    if (this.#contexts.delete(frameId)) this.#host.onFrameLeft(frameId);
  }

  #setFrame(frame: Protocol.Page.Frame): void {
    const inherits = /^about:/.test(frame.url);
    const parent = frame.parentId === undefined ? null : frame.parentId;
    this.frames.set(frame.id, {
      id: frame.id,
      parentId: parent,
      url: toApp(frame.url),
      origin: inherits ? (this.frames.get(parent ?? '')?.origin ?? 'null') : toApp(new URL(frame.url).origin),
    });
  }

  async #answer(paused: Protocol.Fetch.requestPausedPayload): Promise<void> {
    const { requestId, request, resourceType, frameId } = paused;
    const url = toApp(request.url);
    if (resourceType === 'Document') {
      const isAsked = frameId === this.mainFrameId && this.#asked !== null;
      if (!isAsked && !this.#host.mayNavigate(url, frameId)) {
        await this.#send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
        return;
      }
    }
    if (!url.startsWith(`${APP_ORIGIN}/`)) {
      this.#asked?.reject(new Error(`the double reaches nothing but the app: ${url}`));
      await this.#send('Fetch.failRequest', { requestId, errorReason: 'InternetDisconnected' });
      return;
    }
    const response = await this.#host.serve(new Request(url, { method: request.method }));
    await this.#send('Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
      body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    });
  }

  /** Rejects if the page cannot be loaded. */
  async load(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve, reject) => {
      this.#asked = { resolve, reject };
    });
    const { errorText } = await this.#send('Page.navigate', { url: toShown(url) });
    if (errorText) {
      this.#asked = null;
      throw new Error(`${errorText} loading '${url}'`);
    }
    await loaded;
  }

  async reload(): Promise<void> {
    const loaded = new Promise<void>((resolve, reject) => {
      this.#asked = { resolve, reject };
    });
    await this.#send('Page.reload');
    await loaded;
  }

  /** Does nothing if the frame has no preload. */
  tell(message: ToPage, frameId = this.mainFrameId): void {
    const contextId = this.#contexts.get(frameId);
    if (contextId === undefined) return;
    const text = JSON.stringify(JSON.stringify(message));
    void this.#send('Runtime.evaluate', {
      contextId,
      expression: `globalThis[${JSON.stringify(`${this.#secret}-receive`)}](${text})`,
    }).catch(() => {});
  }

  /** Runs a script in the page's own world and resolves to its value. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  crash(): void {
    void this.#send('Page.crash').catch(() => {});
  }

  async close(): Promise<void> {
    await this.#chromium.cdp.send('Target.closeTarget', { targetId: this.targetId }).catch(() => {});
  }
}
