import { type Download, expect, type Locator, type Page } from '@playwright/test';
import { choose } from '../../choose.ts';
import type { Bench } from './bench.ts';
import type { Server } from './server.ts';

/** Finds the parts of the window by the names that users and screen readers see. */

export type StudyTab =
  | 'Notebook'
  | 'Live'
  | 'Compare'
  | 'program.md'
  | 'Debrief'
  | 'Table'
  | 'Constants'
  | 'Lineage';
/** The groups of the set-up form that are folded at first. */
export type SetUpGroup =
  | 'More about the proposer'
  | 'When else to stop'
  | 'What may change, and how to train'
  | 'Which number counts'
  | 'How the number is found and judged'
  | 'What the training can reach';
export type CellTab = 'Reason and result' | 'Diff' | 'Curves' | 'Log';

/** Opens the served window and waits until it shows something. */
export async function openWindow(page: Page, server: Server): Promise<void> {
  await page.goto(server.url);
  await expect(page.getByRole('navigation', { name: 'Projects and studies' })).toBeVisible();
}

/** Opens the served window at the notebook of a study. */
export async function openNotebook(page: Page, server: Server, tag: string): Promise<void> {
  await openWindow(page, server);
  await sidebar(page).study(tag).click();
  await expect(study(page).heading).toHaveText(tag);
  await expect(notebook(page).rows.first()).toBeVisible();
}

export function welcome(page: Page) {
  const region = page.getByRole('region', { name: 'Welcome' });
  return {
    region,
    path: region.getByLabel('Or paste its path'),
    open: region.getByRole('button', { name: 'Open', exact: true }),
    sample: region.getByRole('button', { name: 'Open the sample project' }),
    choose: region.getByRole('button', { name: 'Choose a folder …' }),
    recent: (name: string) => region.getByRole('listitem').filter({ hasText: name }),
  };
}

/** Lists a folder in the dialog in which one is chosen, and returns the dialog. */
export async function browseTo(page: Page, folder: string) {
  await welcome(page).choose.click();
  const folders = dialog(page, 'Choose a repository');
  const path = folders.getByLabel('Folder', { exact: true });
  // The first listing sets the field, perhaps between the two steps of `fill`, which selects all and then writes.
  await expect(path).not.toHaveValue('');
  await path.fill(folder);
  await folders.getByRole('button', { name: 'Go', exact: true }).click();
  return folders;
}

export function setUp(page: Page) {
  const checks = page.getByRole('complementary', { name: 'Preflight' });
  const check = page.getByRole('region', { name: 'Metric check' });
  return {
    metricCheck: { region: check, begin: check.getByRole('button', { name: /^Check the metric \(4 runs/ }) },
    heading: page.getByRole('heading', { name: /^New study in / }),
    field: (name: string) => page.getByLabel(name, { exact: true }),
    group: (name: SetUpGroup) => page.getByRole('group', { name, exact: true }),
    /** Unfolds a group of fields if it is folded. */
    unfold: async (name: SetUpGroup) => {
      const group = page.getByRole('group', { name, exact: true });
      if ((await group.getAttribute('open')) === null) await group.locator('summary').click();
    },
    start: page.getByRole('button', { name: 'Start the study' }),
    checks,
    failedChecks: checks.getByRole('listitem').filter({ has: page.getByRole('img', { name: 'failed' }) }),
  };
}

export function sidebar(page: Page) {
  const region = page.getByRole('navigation', { name: 'Projects and studies' });
  return {
    region,
    study: (tag: string) => region.getByRole('button', { name: tag }),
    button: (name: string) => region.getByRole('button', { name, exact: true }),
  };
}

export function study(page: Page) {
  const controls = page.getByRole('group', { name: 'Controls' });
  return {
    heading: page.getByRole('heading', { level: 1 }),
    best: page.getByTestId('best'),
    header: page.locator('header').filter({ has: controls }),
    controls,
    control: (name: string) => controls.getByRole('button', { name, exact: true }),
    tab: (name: StudyTab) =>
      page.getByRole('tablist', { name: 'Views of the study' }).getByRole('tab', { name, exact: false }),
    running: page.getByRole('complementary', { name: 'Running now' }),
  };
}

export function notebook(page: Page) {
  const filter = page.getByRole('search', { name: 'Experiments' });
  const chart = page.getByRole('group', { name: /val_bpb/ });
  return {
    list: page.getByRole('list', { name: 'Experiments' }),
    rows: page.getByRole('list', { name: 'Experiments' }).getByRole('article'),
    mark: (text: string | RegExp) =>
      page.getByRole('list', { name: 'Experiments' }).getByRole('listitem').filter({ hasText: text }),
    filter,
    search: filter.getByRole('searchbox'),
    verdict: (word: string) =>
      filter.getByRole('group', { name: 'Verdicts' }).getByRole('button', { name: word }),
    category: filter.getByLabel('Category'),
    chart,
    range: page.getByLabel('Range of the chart'),
    log: page.getByRole('button', { name: 'Log distance to the best' }),
    axis: (name: string) =>
      page.getByRole('group', { name: 'Horizontal axis' }).getByRole('button', { name, exact: true }),
  };
}

/** Finds the cell of an experiment and its parts. */
export function cellOf(page: Page, n: number) {
  const region = page.getByRole('article', { name: `Experiment ${n}`, exact: true });
  const panel = region.getByRole('tabpanel');
  return {
    region,
    panel,
    toggle: region.locator('button[aria-expanded]').first(),
    tab: (name: CellTab) => region.getByRole('tab', { name, exact: true }),
    section: (name: string) => region.getByRole('region', { name, exact: true }),
    compare: region.getByRole('button', { name: `Compare experiment ${n}` }),
  };
}

/** Opens a cell and one of its tabs. It uses the palette, because the cell may be out of sight. */
export async function openCell(page: Page, n: number, tab: CellTab = 'Reason and result') {
  const cell = cellOf(page, n);
  await runCommand(page, String(n), `Go to experiment #${n}`);
  await expect(cell.panel).toBeVisible();
  await cell.tab(tab).click();
  await expect(cell.tab(tab)).toHaveAttribute('aria-selected', 'true');
  return cell;
}

export function palette(page: Page) {
  const dialog = page.getByRole('dialog', { name: 'Command palette' });
  return {
    dialog,
    input: dialog.getByRole('combobox'),
    entry: (name: string | RegExp) => dialog.getByRole('option', { name }),
  };
}

/** Opens the palette, writes `words`, and runs the entry. */
export async function runCommand(page: Page, words: string, entry: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await palette(page).input.fill(words);
  await palette(page).entry(entry).click();
  await expect(palette(page).dialog).toBeHidden();
}

export function dialog(page: Page, name: string | RegExp): Locator {
  return page.getByRole('dialog', { name });
}

/** Presses a key on an element. Returns the accessible name of what has the focus before the page does anything else. */
export function focusedBy(
  page: Page,
  selector: string,
  key: { readonly key: string; readonly ctrlKey?: boolean },
): Promise<string | null | undefined> {
  return page.locator(selector).evaluate((element, init) => {
    element.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true }));
    return document.activeElement?.getAttribute('aria-label');
  }, key);
}

/** Chooses an item of the menu that a button opens. */
export async function chooseFrom(page: Page, trigger: Locator, item: string): Promise<void> {
  await trigger.click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

/** Returns the file that the browser downloads when `act` runs. */
export async function downloadOf(
  page: Page,
  act: () => Promise<void>,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) };
}

async function bytesOf(download: Download): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Opens the set-up form of the repository at `path`, from the welcome screen. */
export async function openProject(page: Page, path: string): Promise<void> {
  await welcome(page).path.fill(path);
  await welcome(page).open.click();
}

/** Starts a study with the bench's proposer, from the welcome screen. */
export async function startStudy(
  page: Page,
  bench: Bench,
  options: {
    readonly tag: string;
    readonly experiments: number;
    readonly isPruning?: boolean;
    readonly gpu?: string;
    readonly lanes?: string;
  },
): Promise<void> {
  const { tag, experiments, isPruning = false, gpu, lanes } = options;
  await openProject(page, bench.repository);
  const form = setUp(page);
  await choose(form.field('Proposer'), 'A command that edits the files');
  await form.field('Command line').fill(bench.command);
  await form.field('Experiments').fill(String(experiments));
  await form.field('Name of the study').fill(tag);
  if (gpu !== undefined) {
    await form.unfold('What the training can reach');
    await choose(form.field('GPU'), gpu);
  }
  if (lanes !== undefined) {
    await form.unfold('What the training can reach');
    await form.field('Lanes').fill(lanes);
  }
  if (isPruning) await form.unfold('Which number counts');
  if (isPruning) await page.getByRole('switch', { name: /^End runs early/ }).check();
  await form.start.click();
  await expect(study(page).heading).toHaveText(tag);
}

/** Chooses a model whose server needs no key, in the set-up form. */
export async function chooseModel(page: Page, url: string): Promise<void> {
  const form = setUp(page);
  await choose(form.field('Proposer'), 'A language model (Messages API)');
  await choose(form.field('Key'), 'None: the server needs no key');
  await form.field('Server').fill(url);
}

/** Starts a study with a model as its proposer: a baseline and one experiment. */
export async function startModelStudy(
  page: Page,
  bench: Bench,
  url: string,
  { asksApproval = false, standsIn = true } = {},
): Promise<void> {
  await openProject(page, bench.repository);
  await chooseModel(page, url);
  await setUp(page).unfold('More about the proposer');
  await page.getByRole('switch', { name: /^Let the search stand in/ }).setChecked(standsIn);
  if (asksApproval) await page.getByRole('switch', { name: /^Wait for my approval/ }).check();
  await setUp(page).field('Experiments').fill('1');
  await setUp(page).field('Name of the study').fill('night');
  await setUp(page).start.click();
  await expect(study(page).heading).toHaveText('night');
}

/** Expects the newest notice to leave a button in sight. */
export async function expectNoticeBeside(page: Page, button: Locator): Promise<void> {
  const notice = page.locator('[data-sonner-toast]').first();
  // A notice that is pointed at stays.
  await notice.hover();
  await expect(async () => {
    const [bounds, of] = await Promise.all([notice.boundingBox(), button.boundingBox()]);
    if (!bounds || !of) throw new Error('the notice or the button is not shown');
    const isBeside = bounds.x >= of.x + of.width || bounds.x + bounds.width <= of.x;
    expect(isBeside || bounds.y + bounds.height <= of.y, 'a notice leaves the button in sight').toBe(true);
  }).toPass();
}

/** Waits until an element has the focus. If the body has it, the focus was lost. */
export async function expectFocus(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.tagName ?? 'nothing'), {
      message: 'what has the focus',
    })
    .not.toBe('BODY');
}
