import { dataPaths } from '../../src/engine/paths.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { expect, test } from './support/fixtures.ts';
import { takePictures } from './support/pictures.ts';
import { cellOf, notebook, openWindow, startStudy, study } from './support/window.ts';

/** The same number each time, which the learning rate decides. */
const PLAIN = `command = """python3 -c "
import re
rate = float(re.search('LEARNING_RATE = (.*)', open('train.py').read()).group(1))
print('val_bpb: %.6f' % (1.2 - 0.1 * rate))
" """
verdict = "honest"`;

/** Makes the ledger tell that experiment 2 was made before experiment 1 was kept, and took its place. */
function supersede(home: string): void {
  const database = openDatabase(dataPaths({ PAWL_HOME: home }).ledger);
  database
    .prepare(`UPDATE experiment SET evidence = json_set(evidence, '$.supersedes', json('[1]')) WHERE n = 2`)
    .run();
  database.close();
}

test('a keep that a later one superseded is named as such, and hollow in the chart', async ({
  page,
  home,
  serve,
  makeBench,
}) => {
  const bench = await makeBench({
    metric: PLAIN,
    ...{ seconds: 0.1, steps: 8 },
    turns: [
      { hypothesis: 'Five times the learning rate', category: 'optimizer', set: { LEARNING_RATE: '0.1' } },
      { hypothesis: 'Ten times the learning rate', category: 'optimizer', set: { LEARNING_RATE: '0.2' } },
    ],
  });
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 2 });
  await expect(study(page).header).toContainText('Ended');
  await expect(cellOf(page, 2).region).toContainText('keep');
  const hollow = page.getByText('hollow: superseded');
  await expect(notebook(page).chart).toBeVisible();
  await expect(hollow).toBeHidden();
  supersede(home);
  await page.reload();
  await expect(cellOf(page, 1).region).toContainText('superseded by #2');
  await expect(hollow).toBeVisible();
  await takePictures(page, 'superseded');
});
