/**
 * Replaces the module `electron` in the main process if there is no Electron. Code can import only what this file
 * exports, and each export throws if code uses a member that the double lacks.
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
