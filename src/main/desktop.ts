import { app, type BrowserWindow, Menu, nativeTheme, powerMonitor } from 'electron';
import type { Logger } from 'pino';
import { createRouter } from '../engine/api/router.ts';
import type { Service } from '../engine/api/service.ts';
import type { NotebookEvent } from '../shared/notebook.ts';
import type { Notice } from '../shared/settings.ts';
import { serveCalls } from './bridge.ts';
import { CrashBudget } from './crash-budget.ts';
import { askAfterCrashes, chooseFolder, confirmQuit } from './dialogs.ts';
import { menuTemplate } from './menu.ts';
import { Notifications } from './notifications.ts';
import { QuitSequence } from './quit.ts';
import { SleepBlock } from './sleep.ts';
import { AppTray } from './tray.ts';
import { type TrayAction, trayModel } from './tray-model.ts';
import { MainWindow } from './window.ts';

/** The setting that stores the window's position. */
const WINDOW_SETTING = 'window';
/** Ending a training takes seconds; if it takes longer than this, something hangs. */
const QUIT_LIMIT_MS = 45_000;

export type DesktopOptions = {
  readonly service: Service;
  readonly log: Logger;
  readonly preload: string;
  readonly iconFolder: string;
};

/** Everything in the app that lives as long as the engine: window, tray, notifications, and the quit sequence. */
export class Desktop {
  readonly window: MainWindow;
  readonly quit: QuitSequence;
  readonly #service: Service;
  readonly #log: Logger;
  readonly #tray: AppTray;
  readonly #notifications: Notifications;
  readonly #sleep = new SleepBlock();
  readonly #crashes = new CrashBudget();
  /** Title of a notice that the user has not looked at yet. */
  #alert: string | null = null;

  constructor(options: DesktopOptions) {
    const { service, log, preload, iconFolder } = options;
    this.#service = service;
    this.#log = log;
    this.window = new MainWindow({
      preload,
      icon: `${iconFolder}/app-512.png`,
      readState: () => service.ledger.settings.get(WINDOW_SETTING),
      saveState: state => service.ledger.write(() => service.ledger.settings.set(WINDOW_SETTING, state)),
      // A running study continues without a window; without one, the app can quit.
      staysHidden: () => !this.quit.isLeaving && service.running() !== null,
      onFocus: () => this.#setAlert(null),
    });
    this.quit = new QuitSequence({
      isTraining: () => this.#isTraining(),
      confirm: async () => {
        const study = service.running();
        return study === null || confirmQuit(this.window.browserWindow, study);
      },
      steps: [
        { name: 'remember the window', run: () => this.window.saveNow() },
        { name: 'stop the engine', run: () => service.close() },
        { name: 'give the system its sleep', run: () => this.#sleep.set(false) },
        { name: 'remove the tray icon', run: () => this.#tray.destroy() },
      ],
      leave: () => app.exit(0),
      onError: (step, error) => log.error({ error: String(error) }, `quit: ${step} failed`),
      limitMs: QUIT_LIMIT_MS,
    });
    this.#notifications = new Notifications(notice => this.#showNotice(notice));
    this.#tray = new AppTray({
      iconFolder,
      model: () => trayModel(service.running(), service.latest(), this.#alert, Date.now()),
      act: action => this.#act(action),
    });
    service.hub.subscribe(event => this.#follow(event));
    nativeTheme.themeSource = service.settings().theme;
    serveCalls(createRouter(service), contents => this.window.isOurs(contents), log);
    this.#followSystem();
    Menu.setApplicationMenu(
      Menu.buildFromTemplate(
        menuTemplate({
          isPackaged: app.isPackaged,
          isMac: process.platform === 'darwin',
          openProject: () => void this.#openProject(),
        }),
      ),
    );
  }

  /** The system's folder dialog, above the window. */
  chooseFolder(): Promise<string | null> {
    return chooseFolder(this.window.browserWindow);
  }

  #isTraining(): boolean {
    const running = this.#service.running();
    // While the user has to decide, nothing trains.
    return running !== null && running.state !== 'paused' && running.current?.phase !== 'reviewing';
  }

  #follow(event: NotebookEvent): void {
    switch (event.type) {
      case 'study':
        this.#sleep.set(this.#isTraining());
        this.#tray.refresh();
        break;
      case 'notice':
        this.#announce(event.notice);
        break;
      case 'settings':
        nativeTheme.themeSource = event.settings.theme;
        break;
      default:
        break;
    }
  }

  #announce(notice: Notice): void {
    if ((notice.kind === 'attention' || notice.kind === 'crashes') && !this.window.isFocused) {
      this.#setAlert(notice.title);
    }
    if (this.#service.wants(notice)) this.#notifications.show(notice);
  }

  #setAlert(alert: string | null): void {
    if (alert === this.#alert) return;
    this.#alert = alert;
    this.#tray.refresh();
  }

  #showNotice(notice: Notice): void {
    this.#setAlert(null);
    this.window.open({ study: notice.study, n: notice.n });
  }

  #act(action: TrayAction): void {
    switch (action.do) {
      case 'open':
        this.window.show();
        break;
      case 'show':
        this.window.open({ study: action.study, n: action.n });
        break;
      case 'request':
        try {
          this.#service.request(action.study, action.kind);
        } catch (error) {
          // The study ended between the tray's last update and the click.
          this.#log.info({ error: String(error) }, 'request from the tray came too late');
        }
        this.#tray.refresh();
        break;
      case 'quit':
        void this.quit.request();
        break;
    }
  }

  async #openProject(): Promise<void> {
    const path = await this.chooseFolder();
    if (path !== null) this.window.openPath(path);
  }

  #followSystem(): void {
    app.on('before-quit', event => {
      // The quit sequence itself ends the app once everything has stopped.
      event.preventDefault();
      void this.quit.request();
    });
    app.on('window-all-closed', () => {
      if (process.platform !== 'darwin') void this.quit.request();
    });
    app.on('activate', () => this.window.show());
    powerMonitor.on('shutdown', () => void this.quit.request({ force: true }));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => void this.quit.request({ force: true }));
    }
    app.on('render-process-gone', (_event, contents, details) => {
      const window = this.window.browserWindow;
      if (details.reason === 'clean-exit' || !window || contents !== window.webContents) return;
      this.#log.error(details, 'the page is gone');
      void this.#revive(window);
    });
    app.on('child-process-gone', (_event, details) => this.#log.warn(details, 'a helper process is gone'));
  }

  /** Nothing exists only in the page, so reloading it loses nothing. */
  async #revive(window: BrowserWindow): Promise<void> {
    if (!this.#crashes.mayReload(Date.now())) {
      if (!(await askAfterCrashes(window))) {
        window.destroy();
        return;
      }
      this.#crashes.reset();
    }
    if (!window.isDestroyed()) window.webContents.reload();
  }
}
