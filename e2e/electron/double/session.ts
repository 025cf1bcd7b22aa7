import { type Faithful, hold } from './faithful.ts';
import { StrictEmitter, strict } from './strict.ts';

type Handler = (request: Request) => Response | Promise<Response>;

/** The schemes that the app answers itself. */
class DoubleProtocol {
  readonly #handlers = new Map<string, Handler>();
  readonly #privileged = new Set<string>();
  isReady = false;

  registerSchemesAsPrivileged(schemes: Electron.CustomScheme[]): void {
    if (this.isReady)
      throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
    for (const { scheme, privileges } of schemes) {
      if (privileges?.standard && privileges.secure) this.#privileged.add(scheme);
    }
  }

  handle(scheme: string, handler: Handler): void {
    if (!this.isReady) throw new Error('protocol.handle cannot be called before app is ready');
    // Without these privileges, a page of the scheme would have no origin.
    if (!this.#privileged.has(scheme))
      throw new Error(`the double needs ${scheme}: to be standard and secure`);
    if (this.#handlers.has(scheme)) throw new Error(`${scheme}: is handled already`);
    this.#handlers.set(scheme, handler);
  }

  isProtocolHandled(scheme: string): boolean {
    return this.#handlers.has(scheme);
  }

  /** Not part of Electron: returns the app's response to a request. */
  async answer(request: Request): Promise<Response> {
    const handler = this.#handlers.get(request.url.slice(0, request.url.indexOf(':')));
    if (!handler) throw new Error(`nobody answers ${request.url}`);
    return handler(request);
  }
}
hold<Faithful<Omit<DoubleProtocol, 'answer' | 'isReady'>, Electron.Protocol>>();

type RequestHandler = Parameters<Electron.Session['setPermissionRequestHandler']>[0];
type CheckHandler = Parameters<Electron.Session['setPermissionCheckHandler']>[0];
type DeviceHandler = Parameters<Electron.Session['setDevicePermissionHandler']>[0];

/** As in Electron, everything is permitted until the app sets a handler. */
export class DoubleSession extends StrictEmitter {
  readonly protocol = new DoubleProtocol();
  #onRequest: RequestHandler = null;
  #onCheck: CheckHandler = null;

  constructor() {
    super('Session');
  }

  setPermissionRequestHandler(handler: RequestHandler): void {
    this.#onRequest = handler;
  }

  setPermissionCheckHandler(handler: CheckHandler): void {
    this.#onCheck = handler;
  }

  /** Headless Chromium offers no devices, so it never asks the handler. */
  setDevicePermissionHandler(_handler: DeviceHandler): void {}

  /**
   * Not part of Electron: says whether a page would get a permission. If the handler does not answer at once, the
   * request counts as refused.
   */
  isPermitted(contents: Electron.WebContents, permission: string): boolean {
    const name = permission as 'geolocation';
    const details = { requestingUrl: 'pawl://app/', isMainFrame: true };
    let isGranted = this.#onRequest === null;
    this.#onRequest?.(
      contents,
      name,
      granted => {
        isGranted = granted;
      },
      details as never,
    );
    const isChecked = this.#onCheck?.(contents, name, 'pawl://app', details as never) ?? true;
    return isGranted || isChecked;
  }
}
hold<Faithful<Omit<DoubleSession, 'isPermitted' | 'protocol'>, Electron.Session>>();

export const defaultSession = strict('Session', new DoubleSession());
export const protocol = strict('protocol', defaultSession.protocol);
export const session = strict('session', { defaultSession });
