/**
 * Stands for the module `electron` of the main process where there is no Electron. What is not here cannot be
 * imported; what is here refuses what it does not have.
 */
export { dialog, Menu, Notification, nativeImage, Tray } from './interface.ts';
export { ipcMain } from './ipc-main.ts';
export { MessageChannelMain } from './ports.ts';
export { protocol, session } from './session.ts';
export {
  app,
  nativeTheme,
  net,
  powerMonitor,
  powerSaveBlocker,
  safeStorage,
  screen,
  shell,
} from './system.ts';
export { BrowserWindow } from './windows.ts';
