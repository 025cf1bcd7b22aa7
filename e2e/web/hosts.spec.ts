import type { EngineEventBody } from '../../src/shared/events.ts';
import { expect, test } from './support/fixtures.ts';
import { happen } from './support/happen.ts';
import { takePictures } from './support/pictures.ts';
import { notebook, openWindow, startStudy, study } from './support/window.ts';

const HOSTS: readonly EngineEventBody[] = [
  { type: 'host_away', host: 'lab1', message: 'ssh: connect to host lab1 port 22: Connection refused' },
  {
    type: 'host_away',
    host: 'lab2.a-long-name-of-a-department.example',
    message:
      'ssh: Could not resolve hostname lab2.a-long-name-of-a-department.example: Name or service not known.',
  },
  { type: 'host_joined', host: 'lab1', lanes: 4 },
];

test('the notebook says which hosts were out of reach and which joined, and the debrief for how long', async ({
  page,
  home,
  bench,
  serve,
}) => {
  await openWindow(page, await serve());
  await startStudy(page, bench, { tag: 'night', experiments: 1 });
  await expect(study(page).header).toContainText('Ended');
  happen(home, HOSTS);
  await page.reload();
  await expect(notebook(page).mark(/^lab1 was out of reach: .* port 22: Connection refused\./)).toBeVisible();
  await expect(notebook(page).mark(/^lab2\.a-long.* Name or service not known\.[^.]/)).toBeVisible();
  await expect(notebook(page).mark(/^lab1 was reached: 4 lanes more\./)).toBeVisible();
  await takePictures(page, 'hosts');
  await study(page).tab('Debrief').click();
  const debrief = page.getByRole('article', { name: 'Debrief' });
  await expect(debrief).toContainText('without lab2.a-long-name-of-a-department.example, which was');
  await takePictures(page, 'hosts-debrief');
});
