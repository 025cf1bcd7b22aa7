import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type Page } from '@playwright/test';
import { choose } from '../choose.ts';
import { makeRepository, temporaryFolder } from './support/bench.ts';
import { test } from './support/fixtures.ts';
import { setTheme } from './support/pictures.ts';
import { cellOf, notebook, openCell, openProject, openWindow, setUp, study } from './support/window.ts';

/**
 * Takes the pictures in README.md and docs/ anew. They show real studies on the sample, in which each run reads its
 * chunks in another order: so the metric is noisy, as most are.
 */

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const SAMPLE = fileURLToPath(new URL('../../resources/samples/byte-lm/', import.meta.url));

/** Changes one constant at random. Unlike the search, a command can start from other lines. */
const PROPOSE = `import json, random, re, sys
draw = random.Random(json.load(sys.stdin)["experiment"])
name = draw.choice(["ORDER", "DISCOUNT", "STRENGTH", "FLOOR", "CACHE_WINDOW", "CACHE_MATCH", "CACHE_WEIGHT"])
with open("train.py") as file:
    text = file.read()
old = re.search(rf"(?m)^{name} = (\\S+)", text)[1]
factor = draw.choice([0.5, 0.7, 1.4, 2])
new = f"{float(old) * factor:.3g}" if "." in old else str(max(1, round(int(old) * factor)))
with open("train.py", "w") as file:
    file.write(re.sub(rf"(?m)^{name} = \\S+", f"{name} = {new}", text))
print(json.dumps({"hypothesis": f"{'Lower' if factor < 1 else 'Raise'} {name} from {old} to {new}"}))
`;

test.use({ viewport: { width: 1280, height: 860 } });
// Forty trainings of half a minute, and longer beside other work.
test.setTimeout(2 * 60 * 60_000);

const folders: string[] = [];

test.afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Returns a repository with the sample. */
async function makeSample(): Promise<string> {
  const folder = await temporaryFolder('docs');
  folders.push(folder);
  const names = (await readdir(SAMPLE)).filter(name => !name.startsWith('__'));
  const files = await Promise.all(
    names.map(async name => [name, await readFile(join(SAMPLE, name), 'utf8')] as const),
  );
  const repository = join(folder, 'byte-lm');
  await makeRepository(repository, {
    ...Object.fromEntries(files),
    'pawl.toml': (await readFile(join(SAMPLE, 'pawl.toml'), 'utf8')).replace(
      'python3 train.py"',
      'BYTE_LM_SEED=random python3 train.py"',
    ),
  });
  return repository;
}

/** Waits until the run that is shown is about half done, and each tile has a curve. */
async function untilHalfTrained(page: Page, tiles = 0): Promise<void> {
  const output = page.getByRole('region', { name: /^Output of experiment/ });
  const curves = page.getByRole('img', { name: /^Curve of experiment/ });
  const looks = async () => ({
    isHalfTrained: /\([456]\d\.\d%\)/.test((await output.allTextContents()).join()),
    curves: await curves.count(),
  });
  await expect.poll(looks, { intervals: [200], timeout: 0 }).toEqual({ isHalfTrained: true, curves: tiles });
}

function take(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({ path: `${IMAGES}${name}.png` });
}

test('the debrief, the notebook, an experiment and the live view of a night', async ({ page, serve }) => {
  await openWindow(page, await serve({ sandbox: 'required', verdict: 'honest' }));
  await openProject(page, await makeSample());
  await setUp(page).field('Experiments').fill('40');
  await setUp(page).field('Name of the study').fill('night');
  await setUp(page).start.click();

  await expect(cellOf(page, 9).region).toContainText(/keep|discard/, { timeout: 0 });
  await study(page).tab('Live').click();
  await untilHalfTrained(page);
  await take(page, 'live');

  await expect(study(page).header).toContainText('Ended', { timeout: 0 });
  await study(page).tab('Debrief').click();
  await expect(page.getByRole('article', { name: 'Debrief' })).toContainText('What worked');
  await take(page, 'debrief');
  await study(page).tab('Notebook').click();
  await expect(notebook(page).rows.first()).toBeVisible();
  await take(page, 'notebook');
  await notebook(page).verdict('keep').click();
  const proven = notebook(page).rows.filter({ hasText: 'proven' }).filter({ hasNotText: 'unproven' });
  const [, n] = /#(\d+)/.exec((await proven.first().textContent()) ?? '') ?? [];
  await notebook(page).verdict('keep').click();
  const cell = await openCell(page, Number(n));
  await expect(cell.panel).toContainText('Changed files');
  await setTheme(page, 'dark');
  await take(page, 'experiment-dark');
});

test('two lanes, and the lineage of their experiments', async ({ page, serve }) => {
  const repository = await makeSample();
  const proposer = join(repository, '..', 'propose.py');
  await writeFile(proposer, PROPOSE);
  await openWindow(page, await serve({ sandbox: 'required', verdict: 'honest' }));
  await openProject(page, repository);
  await choose(setUp(page).field('Proposer'), 'A command that edits the files');
  await setUp(page).field('Command line').fill(`python3 "${proposer}"`);
  await setUp(page).unfold('More about the proposer');
  await choose(setUp(page).field('Where proposals start'), 'One in three from another line');
  await setUp(page).unfold('What the training can reach');
  await setUp(page).field('Lanes').fill('cpu:2');
  await setUp(page).field('Experiments').fill('30');
  await setUp(page).field('Name of the study').fill('lines');
  await setUp(page).start.click();

  await expect(cellOf(page, 9).region).toContainText(/keep|discard/, { timeout: 0 });
  await study(page).tab('Live').click();
  await untilHalfTrained(page, 2);
  await take(page, 'lanes');

  await expect(study(page).header).toContainText('Ended', { timeout: 0 });
  await page.setViewportSize({ width: 1280, height: 800 });
  await study(page).tab('Lineage').click();
  await expect(page.getByRole('list', { name: 'Experiments by lineage' })).toBeVisible();
  await take(page, 'lineage');
});
