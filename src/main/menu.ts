import type { MenuItemConstructorOptions } from 'electron';

export type MenuOptions = {
  readonly isPackaged: boolean;
  readonly isMac: boolean;
  readonly openProject: () => void;
};

/** The application's menu. Reloading the page and the developer tools are for developers. */
export function menuTemplate(options: MenuOptions): MenuItemConstructorOptions[] {
  const { isPackaged, isMac, openProject } = options;
  const developer: MenuItemConstructorOptions[] = isPackaged
    ? []
    : [{ role: 'reload' }, { role: 'toggleDevTools' }, { type: 'separator' }];
  return [
    ...(isMac ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        { label: 'Open a Project…', accelerator: 'CmdOrCtrl+O', click: openProject },
        { type: 'separator' },
        { role: 'close' },
        ...(isMac ? [] : [{ role: 'quit' as const }]),
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        ...developer,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
  ];
}
