// `npm run build`: the desktop app, the window and the terminal host, all into out/.
import { root } from './find-node.mjs';
import { buildTerminal } from './terminal-bundle.mjs';

process.chdir(root);
const { build } = await import('electron-vite');
await build({ logLevel: 'warn' });
await buildTerminal();
