import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import { findChromium } from '../e2e/chromium.ts';
import { contractFromFile } from '../src/shared/contract-file.ts';
import { formatNumber } from '../src/shared/numbers.ts';
import { EXPERIMENTS, fillBigLedger, POINTS } from './big-ledger.ts';
import { benchFirstCells } from './first-cells.ts';
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
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-window-'));
  const home = join(folder, 'home');
  try {
    const place = await makeRepository(join(folder, 'repository'));
    fillBigLedger(join(home, 'pawl.sqlite'), place, 1000);
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
  await page.goto(url);
  await page.getByRole('navigation').getByRole('button', { name: /bench/ }).click();
  await page.getByRole('article').first().waitFor();
  await startExperiment(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metrics = async () => Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  for (let round = 0; round < Number(process.env.ROUNDS ?? 2); round += 1) {
    for (const [key, region] of [['2', 'live'], ...(process.env.BOTH ? [['1', 'notebook']] : [])] as const) {
      await page.keyboard.press(key);
      await page.waitForTimeout(1500);
      const before = await metrics();
      const share = await rendererShare(page);
      const after = await metrics();
      const per = (name: string) => `${name} ${(((after[name] ?? 0) - (before[name] ?? 0)) / LIVE_SECONDS * 1000).toFixed(1)}`;
      console.log(process.env.LABEL ?? '', region, 'share', (share * 100).toFixed(2), '%; ms/s:', ['TaskDuration', 'ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].map(per).join(', '), 'layouts', (after.LayoutCount ?? 0) - (before.LayoutCount ?? 0), 'styles', (after.RecalcStyleCount ?? 0) - (before.RecalcStyleCount ?? 0));
    }
  }
  if (process.env.TRACE) {
    const browser = page.context().browser();
    await page.keyboard.press('2');
    await browser?.startTracing(page, { path: process.env.TRACE, categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel', 'disabled-by-default-v8.cpu_profiler', 'cc', 'blink', 'v8', 'gpu', 'viz'] });
    await page.waitForTimeout(10_000);
    await browser?.stopTracing();
  }
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

process.env.PAWL_VERDICT ??= 'greedy';
await benchWindow();
