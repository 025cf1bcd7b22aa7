// @ts-check
// Loaded into the main process before the app, both under Electron (`electron -r`) and under its double. It records what
// the app shows outside its pages, gives the user's answers to dialogs, and reads what a page cannot read.
const {
  BrowserWindow,
  MessageChannelMain,
  Notification,
  Tray,
  app,
  dialog,
  ipcMain,
  nativeImage,
} = require('electron');
const { net, powerMonitor, powerSaveBlocker, shell } = require('electron');

/** @type {{ menu: Electron.Menu | null, tooltip: string, icon: string }} */
const tray = { menu: null, tooltip: '', icon: '' };
/** @type {Electron.Notification[]} */
const notifications = [];
/** @type {{ kind: string, options: Electron.MessageBoxOptions & Electron.OpenDialogOptions, answer: (value: any) => void, isOpen: boolean }[]} */
const dialogs = [];
/** @type {string[]} */
const openedAddresses = [];
/** @type {string[]} */
const shownItems = [];
/** @type {Map<number, string>} */
const blockers = new Map();
/** How many times the app began to quit. */
let quits = 0;
app.on('before-quit', () => {
  quits += 1;
});
/** @type {WeakMap<object, string>} */
const imagePaths = new WeakMap();

/**
 * Replaces a method with a call of `wrapper`, which gets the original method.
 * @param {any} owner
 * @param {string} name
 * @param {(original: (...args: any[]) => any, self: any, args: any[]) => any} wrapper
 */
function wrap(owner, name, wrapper) {
  const original = owner[name];
  owner[name] = /** @this {any} */ function (/** @type {any[]} */ ...args) {
    return wrapper(original, this, args);
  };
}

wrap(nativeImage, 'createFromPath', (original, self, args) => {
  const image = original.apply(self, args);
  imagePaths.set(image, args[0]);
  return image;
});
wrap(Tray.prototype, 'setImage', (original, self, args) => {
  tray.icon = imagePaths.get(args[0]) ?? '';
  return original.apply(self, args);
});
wrap(Tray.prototype, 'setToolTip', (original, self, args) => {
  tray.tooltip = args[0];
  return original.apply(self, args);
});
wrap(Tray.prototype, 'setContextMenu', (original, self, args) => {
  tray.menu = args[0];
  return original.apply(self, args);
});
// Notifications are recorded but not shown, because a test machine has no panel for them.
wrap(Notification.prototype, 'show', (_original, self) => {
  notifications.push(self);
});
wrap(Notification, 'isSupported', () => true);
wrap(shell, 'openExternal', async (_original, _self, args) => {
  openedAddresses.push(args[0]);
});
wrap(shell, 'showItemInFolder', (_original, _self, args) => {
  shownItems.push(args[0]);
});
wrap(powerSaveBlocker, 'start', (original, self, args) => {
  const id = original.apply(self, args);
  blockers.set(id, args[0]);
  return id;
});
wrap(powerSaveBlocker, 'stop', (original, self, args) => {
  blockers.delete(args[0]);
  return original.apply(self, args);
});
for (const kind of ['showMessageBox', 'showOpenDialog']) {
  wrap(dialog, kind, (_original, _self, args) => {
    const options = args.at(-1);
    return new Promise(answer => dialogs.push({ kind, options, answer, isOpen: true }));
  });
}

function theWindow() {
  const [window] = BrowserWindow.getAllWindows();
  if (!window) throw new Error('there is no window');
  return window;
}

/** @param {string} kind */
function openDialog(kind) {
  const found = dialogs.find(dialog => dialog.isOpen && dialog.kind === kind);
  if (!found) throw new Error(`no ${kind} is open`);
  found.isOpen = false;
  return found;
}

/** Returns an event with these details. Its `defaultPrevented` says whether a listener refused it. */
function refusable(details = {}) {
  const event = {
    ...details,
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true;
    },
  };
  return event;
}

const probe = {
  tray: () => ({
    icon: tray.icon,
    tooltip: tray.tooltip,
    items: (tray.menu?.items ?? []).map(({ label, type, enabled }) => ({ label, type, enabled })),
  }),
  /** @param {string} label */
  clickTray(label) {
    const item = tray.menu?.items.find(found => found.label === label);
    if (!item) throw new Error(`the tray has no ${label}`);
    item.click();
  },
  notifications: () => notifications.map(({ title, body }) => ({ title, body })),
  /** @param {number} index */
  clickNotification(index) {
    notifications[index]?.emit('click', {});
  },
  dialogs: () =>
    dialogs.map(({ kind, isOpen, options: { message, detail, buttons } }) => ({
      kind,
      isOpen,
      message,
      detail,
      buttons,
    })),
  /** @param {number} response */
  answerMessageBox(response) {
    openDialog('showMessageBox').answer({ response, checkboxChecked: false });
  },
  /** @param {string | null} path */
  answerOpenDialog(path) {
    openDialog('showOpenDialog').answer({ canceled: path === null, filePaths: path === null ? [] : [path] });
  },
  openedAddresses: () => openedAddresses,
  shownItems: () => shownItems,
  quits: () => quits,
  sleepBlocks: () => [...blockers.values()],
  windows: () =>
    BrowserWindow.getAllWindows().map(window => ({
      isVisible: window.isVisible(),
      isFocused: window.isFocused(),
      isMaximized: window.isMaximized(),
      bounds: window.getBounds(),
      url: window.webContents.getURL(),
    })),
  /** @param {Partial<Electron.Rectangle>} bounds */
  setBounds(bounds) {
    theWindow().setBounds(bounds);
  },
  blur() {
    theWindow().blur();
  },
  /** Closes the window as the user does with its close button. */
  closeWindow() {
    theWindow().close();
  },
  quit() {
    // The answer must be sent before the process ends.
    setTimeout(() => app.quit(), 20);
  },
  /** Announces that the system is shutting down. Returns whether the app asked it to wait. */
  shutdown() {
    const event = refusable();
    powerMonitor.emit('shutdown', event);
    return event.defaultPrevented;
  },
  /** @param {string} path */
  openFile(path) {
    const event = refusable();
    app.emit('open-file', event, path);
    return event.defaultPrevented;
  },
  crash() {
    theWindow().webContents.forcefullyCrashRenderer();
  },
  /** @param {string} code */
  evaluate: code => theWindow().webContents.executeJavaScript(code),
  /** @param {string} url */
  offerRedirect(url) {
    const event = refusable({ url, isMainFrame: true });
    theWindow().webContents.emit('will-redirect', event);
    return event.defaultPrevented;
  },
  /** @param {string} src */
  offerWebview(src) {
    const event = refusable();
    theWindow().webContents.emit('will-attach-webview', event, {}, { src });
    return event.defaultPrevented;
  },
  /**
   * Returns the answer of the app's protocol to a request.
   * @param {string} url
   * @param {string} [method]
   */
  async request(url, method = 'GET') {
    const response = await net.fetch(url, { method });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  },
  /**
   * Asks for a connection as this kind of sender, and calls `ping` once. Returns the answer, `nothing` or `closed`.
   * @param {'page' | 'frame' | 'window' | 'gone'} sender
   * @param {unknown} message
   * @param {number} ports
   */
  async forge(sender, message, ports) {
    const { webContents } = theWindow();
    const other =
      sender === 'window' ? new BrowserWindow({ show: false, webPreferences: otherWindow() }) : null;
    const contents = other?.webContents ?? webContents;
    const senderFrame =
      sender === 'gone'
        ? null
        : sender === 'frame'
          ? (contents.mainFrame.frames[0] ?? null)
          : sender === 'window'
            ? webContents.mainFrame
            : contents.mainFrame;
    if (sender === 'frame' && !senderFrame) throw new Error('the page has no frame');
    const channels = Array.from({ length: ports }, () => new MessageChannelMain());
    ipcMain.emit(
      'pawl:connect',
      { type: 'frame', sender: contents, senderFrame, ports: channels.map(({ port2 }) => port2) },
      message,
    );
    const own = channels[0]?.port1;
    const answer = await new Promise(resolve => {
      if (!own) return resolve('nothing');
      own.on('message', ({ data }) => resolve(data));
      own.on('close', () => resolve('closed'));
      own.start();
      own.postMessage(JSON.stringify({ i: '1', p: { u: '/app/ping' } }));
    });
    other?.destroy();
    return String(answer);
  },
};

/** Preferences for a window like the app's own, which the app did not create. */
function otherWindow() {
  return { preload: __filename, sandbox: true, contextIsolation: true };
}

/** Under Electron, the test reaches the probe through the global object. */
Object.assign(globalThis, { pawlProbe: probe });
module.exports = { probe };
