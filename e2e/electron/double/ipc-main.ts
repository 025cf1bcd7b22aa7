import { EventEmitter } from 'node:events';
import { strict } from './strict.ts';

/** The app chooses the names of its channels, so this accepts listeners for any name. It has no `handle`. */
export const ipcMain = strict('ipcMain', new EventEmitter());
