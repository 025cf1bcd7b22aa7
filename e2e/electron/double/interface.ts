import { existsSync } from 'node:fs';
import { type Faithful, hold } from './faithful.ts';
import { preventable, StrictEmitter, strict } from './strict.ts';

/**
 * The parts of the interface outside the page: tray, menus, notifications, dialogs, images. The double draws nothing. A
 * test reads these objects through the probe, as it does under Electron.
 */

class DoubleImage {
  readonly #path: string;
  #isTemplate = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** As in Electron, a missing file gives an empty image and no error. */
  isEmpty(): boolean {
    return !existsSync(this.#path);
  }

  setTemplateImage(option: boolean): void {
    this.#isTemplate = option;
  }

  isTemplateImage(): boolean {
    return this.#isTemplate;
  }
}
hold<Faithful<DoubleImage, Electron.NativeImage>>();

export const nativeImage = strict('nativeImage', {
  createFromPath: (path: string) =>
    strict('NativeImage', new DoubleImage(path)) as unknown as Electron.NativeImage,
} satisfies Partial<typeof Electron.NativeImage>);

class DoubleMenuItem {
  readonly label: string;
  readonly type: NonNullable<Electron.MenuItemConstructorOptions['type']>;
  readonly enabled: boolean;
  readonly click: () => void;

  constructor(options: Electron.MenuItemConstructorOptions) {
    this.label = options.label ?? '';
    this.type = options.type ?? (options.submenu ? 'submenu' : 'normal');
    this.enabled = options.enabled ?? true;
    this.click = () => {
      if (this.enabled) options.click?.(this as never, undefined, preventable({}) as never);
    };
  }
}
hold<Faithful<DoubleMenuItem, Electron.MenuItem>>();

export class Menu extends StrictEmitter {
  readonly items: Electron.MenuItem[];
  static #application: Menu | null = null;

  constructor(items: Electron.MenuItem[] = []) {
    super('Menu');
    this.items = items;
  }

  static buildFromTemplate(template: Electron.MenuItemConstructorOptions[]): Menu {
    const items = template.map(
      options => strict('MenuItem', new DoubleMenuItem(options)) as unknown as Electron.MenuItem,
    );
    return strict('Menu', new Menu(items));
  }

  static setApplicationMenu(menu: Menu | null): void {
    Menu.#application = menu;
  }

  static getApplicationMenu(): Menu | null {
    return Menu.#application;
  }
}
hold<Faithful<Menu, Electron.Menu>>();

export class Tray extends StrictEmitter {
  #isDestroyed = false;

  constructor(image: Electron.NativeImage | string) {
    super('Tray');
    if (typeof image === 'string' || image.isEmpty()) throw new Error('the tray has no icon');
    // biome-ignore lint/correctness/noConstructorReturn: callers need the proxy, which rejects missing members
    return strict('Tray', this);
  }

  setImage(image: Electron.NativeImage | string): void {
    if (typeof image === 'string' || image.isEmpty()) throw new Error('the tray has no icon');
  }

  setToolTip(_toolTip: string): void {}

  setContextMenu(_menu: Electron.Menu | null): void {}

  destroy(): void {
    this.#isDestroyed = true;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }
}
hold<Faithful<Tray, Electron.Tray>>();

export class Notification extends StrictEmitter {
  title: string;
  body: string;

  constructor(options: Electron.NotificationConstructorOptions = {}) {
    super('Notification');
    this.title = options.title ?? '';
    this.body = options.body ?? '';
    // biome-ignore lint/correctness/noConstructorReturn: callers need the proxy, which rejects missing members
    return strict('Notification', this);
  }

  static isSupported(): boolean {
    return true;
  }

  show(): void {
    setImmediate(() => this.emit('show', preventable({})));
  }
}
hold<Faithful<Notification, Electron.Notification>>();

/** No user is there to answer a dialog; the probe replaces these functions and answers. */
const nobody = (what: string) => () => Promise.reject(new Error(`nobody answers ${what}`));
export const dialog = strict('dialog', {
  showMessageBox: nobody('a message box'),
  showOpenDialog: nobody('an open dialog'),
} satisfies Partial<Electron.Dialog>);
