import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { findChromium } from '../e2e/chromium.ts';
import { contractFromFile } from '../src/shared/contract/contract-file.ts';
import { formatNumber } from '../src/shared/numbers.ts';
import { EXPERIMENTS, fillBigLedger, POINTS } from './big-ledger.ts';
import { benchFirstCells, markFirstCell } from './first-cells.ts';
import { printTable, quantile } from './report.ts';
import { measureTable } from './table.ts';
import { measureKeys } from './window-keys.ts';

const CLI = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
/** One frame at 60 a second. */
const FRAME_MS = 16.7;
const SCROLL_FRAMES = 600;
const ZOOM_FRAMES = 180;
const IDLE_FRAMES = 180;
const LIVE_SECONDS = 20;
const LOADS = 5;

/** Prints twenty lines of progress a second while the bench measures. */
const TRAINER = `#!/bin/sh
step=0
while [ $step -lt 1200 ]; do
  printf '\\rstep %05d (%d.0%%) | loss: 2.%04d | dt: 50ms | tok/sec: 1,600,000 | remaining: 9s    ' $step $((step / 12)) $((9999 - step * 7))
  step=$((step + 1))
  sleep 0.05
done
echo; echo '---'; echo 'val_bpb: 0.9'
`;
const PROPOSER = `n=$(cat knob); echo $((n + 1)) > knob; printf '{"hypothesis": "Turn the knob to %s"}\\n' $((n + 1))`;

/** The window on a year of nights: first cells, scrolling, zooming, memory, and one live experiment. */
export async function benchWindow(): Promise<void> {
  await benchFirstCells();
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-window-'));
  const home = join(folder, 'home');
  try {
    const place = await makeRepository(join(folder, 'repository'));
    fillBigLedger(join(home, 'pawl.sqlite'), place);
    const server = spawn(process.execPath, [CLI, 'serve', '--port', '0'], {
      env: { ...process.env, PAWL_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(server.stdout, 'data')) as [Buffer];
    const url = /http:\S+/.exec(String(said))?.[0] ?? '';
    const browser = await chromium.launch({
      executablePath: findChromium() ?? '',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await measure(page, url);
    } finally {
      await browser.close();
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function makeRepository(folder: string) {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', folder]);
  await writeFile(join(folder, 'knob'), '0\n');
  await writeFile(join(folder, 'train.sh'), TRAINER);
  await chmod(join(folder, 'train.sh'), 0o755);
  git('add', '.');
  git('commit', '--quiet', '--message=start');
  git('branch', 'autoresearch/bench');
  return {
    repositoryPath: folder,
    gitDir: join(folder, '.git'),
    baseCommit: git('rev-parse', 'HEAD'),
    contract: contractFromFile({
      contract: { editable: ['knob'], train: './train.sh' },
      metric: { name: 'val_bpb', goal: 'minimize' },
      ...{ checks: {}, audit: {} },
      budget: { seconds: 60 },
      stop: {},
      limits: {},
      sandbox: {},
    }),
    proposer: { kind: 'command', command: PROPOSER, timeoutSeconds: 10 },
  } as const;
}

async function measure(page: Page, url: string): Promise<void> {
  await markFirstCell(page);
  await page.goto(url);
  await page.getByRole('navigation').getByRole('button', { name: /bench/ }).click();
  await page.getByRole('article').first().waitFor();
  const loads: number[] = [];
  for (let round = 0; round < LOADS; round += 1) {
    await page.reload();
    await page.waitForFunction(() => performance.getEntriesByName('first-cell').length > 0);
    loads.push(
      await page.evaluate(() => performance.getEntriesByName('first-cell')[0]?.startTime ?? Number.NaN),
    );
  }
  await page.getByText(`${formatNumber(EXPERIMENTS)} of ${formatNumber(EXPERIMENTS)}`).waitFor();

  const idle = await frames(page, IDLE_FRAMES, 'idle');
  const scroll = await frames(page, SCROLL_FRAMES, 'scroll');
  const zoom = await frames(page, ZOOM_FRAMES, 'zoom');
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const keys = await measureKeys(page);
  const table = await measureTable(page);
  await page.keyboard.press('1');
  await startExperiment(page);
  const inNotebook = await rendererShare(page);
  await page.keyboard.press('2');
  await page.getByRole('region', { name: 'Live curve' }).waitFor();
  const inLiveView = await rendererShare(page);
  const floor = quantile(idle, 0.95);
  const frameLine = (what: string, values: readonly number[]) => ({
    what: `${what}, p95 of ${values.length} frames`,
    value: quantile(values, 0.95),
    unit: 'ms',
    reference: `idle page: ${floor.toFixed(2)} ms; at most ${FRAME_MS} ms`,
    ratio: quantile(values, 0.95) / floor,
    isGood: quantile(values, 0.95) <= FRAME_MS + 0.05,
  });
  const shareLine = (where: string, share: number) => ({
    what: `one live experiment ${where}, renderer's share of a core over ${LIVE_SECONDS} s`,
    value: share * 100,
    unit: '%',
    reference: 'at most 10 %',
    ratio: null,
    isGood: share <= 0.1,
  });
  printTable(`Window: ${EXPERIMENTS} experiments of ${POINTS} points`, [
    {
      what: `first cells on screen, worst of ${LOADS} loads`,
      value: Math.max(...loads),
      unit: 'ms',
      reference: 'at most 1500 ms',
      ratio: null,
      isGood: Math.max(...loads) <= 1_500,
    },
    frameLine('scrolling the whole notebook', scroll),
    frameLine('zooming the chart', zoom),
    {
      what: 'JavaScript heap after all that',
      value: usedSize / 1024 ** 2,
      unit: 'MB',
      reference: 'at most 300 MB',
      ratio: null,
      isGood: usedSize <= 300 * 1024 ** 2,
    },
    ...keys,
    ...table.lines,
    frameLine('scrolling the table', table.scroll),
    shareLine('beside the notebook', inNotebook),
    shareLine('in the live view', inLiveView),
  ]);
}

/** Milliseconds between frames while the page is idle, scrolled from end to end, or zoomed in and out. */
async function frames(
  page: Page,
  count: number,
  what: 'idle' | 'scroll' | 'zoom',
): Promise<readonly number[]> {
  return page.evaluate(
    async ([wanted, kind]) => {
      const list = document.querySelector('[data-testid="notebook-list"]');
      const chart = document.querySelector('[role="group"][tabindex="0"] svg');
      if (!list || !chart) throw new Error('the notebook is not on the page');
      const times: number[] = [];
      await new Promise<void>(resolve => {
        const act = (at: number) => {
          times.push(at);
          if (times.length > wanted) return resolve();
          if (kind === 'scroll') {
            list.scrollTop = (times.length / wanted) * (list.scrollHeight - list.clientHeight);
          }
          if (kind === 'zoom') {
            const { left, top, width, height } = chart.getBoundingClientRect();
            const deltaY = times.length % 120 < 60 ? -40 : 40;
            chart.dispatchEvent(
              new WheelEvent('wheel', {
                ...{ deltaY, bubbles: true, cancelable: true },
                clientX: left + width * 0.6,
                clientY: top + height / 2,
              }),
            );
          }
          requestAnimationFrame(act);
        };
        requestAnimationFrame(act);
      });
      return times.slice(1).map((at, index) => at - (times[index] ?? at));
    },
    [count, what] as const,
  );
}

async function startExperiment(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await page
    .getByRole('complementary', { name: 'Running now' })
    .getByText(/at step/)
    .waitFor();
}

/** Processor time of all threads of the page's process, as a share of one core. */
async function rendererShare(page: Page): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page has no browser');
  const session = await browser.newBrowserCDPSession();
  const rendererSeconds = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ cpuTime }) => cpuTime));
  };
  const before = await rendererSeconds();
  const began = performance.now();
  await page.waitForTimeout(LIVE_SECONDS * 1000);
  const used = (await rendererSeconds()) - before;
  return used / ((performance.now() - began) / 1000);
}
