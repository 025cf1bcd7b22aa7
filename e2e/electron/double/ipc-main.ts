import { EventEmitter } from 'node:events';
import { strict } from './strict.ts';

/** Channels are the app's own names, so any can be listened for. `handle` and its kin are not there. */
export const ipcMain = strict('ipcMain', new EventEmitter());
