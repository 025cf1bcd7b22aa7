import { join } from 'node:path';
import { Menu, type MenuItemConstructorOptions, nativeImage, Tray } from 'electron';
import type { TrayAction, TrayIcon, TrayModel } from './tray-model.ts';

/** The remaining time is shown in minutes, so this is often enough. */
const REFRESH_MS = 15_000;

/** The icon's size in each system's panel; a file of twice the size is next to each. */
const ICON_SIZE = process.platform === 'linux' ? 22 : 16;

export type AppTrayOptions = {
  readonly iconFolder: string;
  readonly model: () => TrayModel;
  readonly act: (action: TrayAction) => void;
};

/** The icon in the system's panel, and its menu. */
export class AppTray {
  readonly #options: AppTrayOptions;
  readonly #tray: Tray;
  #shown = '';
  #icon: TrayIcon | null = null;
  readonly #timer: NodeJS.Timeout;
  #soon: NodeJS.Immediate | null = null;

  constructor(options: AppTrayOptions) {
    this.#options = options;
    this.#tray = new Tray(loadIcon(options.iconFolder, 'idle'));
    this.#tray.on('click', () => options.act({ do: 'open' }));
    this.#timer = setInterval(() => this.#update(), REFRESH_MS);
    this.#update();
  }

  /** Call it after a change; many changes in one turn of the event loop are one update. */
  refresh(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = null;
      this.#update();
    });
  }

  destroy(): void {
    clearInterval(this.#timer);
    if (this.#soon) clearImmediate(this.#soon);
    this.#tray.destroy();
  }

  /** Setting a menu closes it if it is open, so only changed menus are set. */
  #update(): void {
    const { model, act, iconFolder } = this.#options;
    const { icon, tooltip, items } = model();
    const text = JSON.stringify({ tooltip, items });
    if (icon !== this.#icon) this.#tray.setImage(loadIcon(iconFolder, icon));
    this.#icon = icon;
    if (text === this.#shown) return;
    this.#shown = text;
    this.#tray.setToolTip(tooltip);
    const template = items.map((item): MenuItemConstructorOptions => {
      if (item.type === 'separator') return { type: 'separator' };
      const { label, action } = item;
      // An ampersand would underline the letter after it.
      const shown = { label: label.replaceAll('&', '&&') };
      return action === null ? { ...shown, enabled: false } : { ...shown, click: () => act(action) };
    });
    this.#tray.setContextMenu(Menu.buildFromTemplate(template));
  }
}

function loadIcon(folder: string, icon: TrayIcon): Electron.NativeImage {
  const image = nativeImage.createFromPath(join(folder, `tray-${icon}-${ICON_SIZE}.png`));
  // macOS uses only the shape and colours it itself.
  if (process.platform === 'darwin') image.setTemplateImage(true);
  return image;
}
