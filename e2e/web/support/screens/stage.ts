import { expect, type Locator, type Page } from '@playwright/test';
import type { RunningModelServer, Script } from '../../../../test/support/model-server.ts';
import type { Bench, BenchOptions } from '../bench.ts';
import { NIGHT_TAG, type Night } from '../night.ts';
import type { Server } from '../server.ts';
import {
  type CellTab,
  cellOf,
  dialog,
  openCell,
  openNotebook,
  openWindow,
  startStudy,
  study,
} from '../window.ts';

/** The fixtures that a screen needs to open. */
export type Stage = {
  readonly page: Page;
  readonly night: Night;
  readonly serve: () => Promise<Server>;
  readonly makeBench: (options?: BenchOptions) => Promise<Bench>;
  readonly answer: (reply: Script) => Promise<RunningModelServer>;
};

/** A state of the window whose appearance is checked. */
export type Screen = {
  /** In kebab-case, because it is part of file names. */
  readonly name: string;
  /** Opens the screen. Resolves to the element that must then be visible. */
  readonly open: (stage: Stage) => Promise<Locator>;
};

/** Opens the notebook of the finished night. */
export async function ofNight({ page, night }: Stage): Promise<void> {
  await openNotebook(page, night.server, NIGHT_TAG);
}

/** Starts a study and holds its second experiment in the middle of its training. */
export async function running({ page, serve, makeBench }: Stage): Promise<Server> {
  const bench = await makeBench({ seconds: 0.8 });
  const server = await serve();
  await openWindow(page, server);
  await bench.hold(1);
  await startStudy(page, bench, { tag: NIGHT_TAG, experiments: 2 });
  await expect(cellOf(page, 0).region).toContainText('keep');
  await bench.untilHeld();
  await expect(study(page).running).toContainText('at step');
  return server;
}

/** Opens a tab of an experiment of the night; `inSight` finds what must then be visible. */
export function cell(n: number, tab: CellTab, inSight: (page: Page) => Locator): Screen['open'] {
  return async stage => {
    await ofNight(stage);
    await openCell(stage.page, n, tab);
    const subject = inSight(stage.page);
    await expect(subject).toBeVisible();
    await stage.page.mouse.move(0, 0);
    return subject;
  };
}

/** Opens a dialog over the night. */
export function overNight(open: (page: Page) => Promise<void>, name: string | RegExp): Screen['open'] {
  return async stage => {
    await ofNight(stage);
    await open(stage.page);
    return dialog(stage.page, name);
  };
}
