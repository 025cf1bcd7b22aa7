import { join } from 'node:path';
import { makeRepository } from './support/bench.ts';
import { expect, test } from './support/fixtures.ts';
import { cellOf, dialog, openCell, openProject, openWindow, setUp, study } from './support/window.ts';

const TRAIN = `import json, os, urllib.request
RATE = 2
for n in range(3):
    body = {"model": os.environ["PAWL_MODEL"], "max_tokens": 50, "messages": [{"role": "user", "content": f"Question {n}"}]}
    headers = {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]}
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)
    print(json.load(urllib.request.urlopen(request))["content"])
print("score: 1.5")
`;

test('a training that asks a model stops at its cap, and goes on with a higher one', async ({
  page,
  serve,
  answer,
  home,
}) => {
  const model = await answer(() => ({
    kind: 'message',
    blocks: [{ type: 'text', text: 'yes' }],
    usage: { input: 4_000, output: 4_000 },
  }));
  const repository = join(home, 'asking');
  await makeRepository(repository, {
    'train.py': TRAIN,
    'pawl.toml': `[contract]
editable = ["train.py"]
train = "python3 train.py"
[metric]
name = "score"
[model]
name = "claude-haiku-5-5"
base_url = "${model.url}"
`,
  });
  await openWindow(page, await serve());
  await openProject(page, repository);
  await expect(setUp(page).checks).toContainText('the training may ask claude-haiku-5-5');
  await setUp(page).unfold('What the training can reach');
  await setUp(page).field('Cap for asking claude-haiku-5-5 (US$)').fill('0.003');
  await setUp(page).field('Experiments').fill('0');
  await setUp(page).start.click();
  await expect(study(page).header).toContainText('The spend cap is reached');
  expect(model.requests).toHaveLength(2);

  await study(page).control('Resume').click();
  const resume = dialog(page, /^Resume /);
  await expect(resume.getByLabel('Cap for asking claude-haiku-5-5 (US$)')).toHaveValue('0.003');
  await resume.getByLabel('Cap for asking claude-haiku-5-5 (US$)').fill('1');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(cellOf(page, 0).region).toContainText('keep');
  expect(model.requests).toHaveLength(3);
  await expect((await openCell(page, 0)).section('Numbers')).toContainText(/calls\s*5, 2 answered before/);
});
