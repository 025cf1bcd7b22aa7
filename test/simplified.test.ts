import { expect, test } from 'vitest';
import { pawl } from './support/pawl.ts';
import { createRepository, git } from './support/scaffold.ts';
import { eventsOfType, openDesk, untilStopped } from './support/service.ts';
import { proposer, SHELL_FILES } from './support/trainers.ts';

test('a keep that only made the code simpler is the best wherever one is named', async () => {
  const trainer = 'RATE=2\nunused=1\necho "val_bpb: 0.5"\n';
  const path = await createRepository({ ...SHELL_FILES, 'train.sh': trainer });
  const { command } = await proposer(
    "text = open('train.sh').read()\nopen('train.sh', 'w').write(text.replace('unused=1\\n', ''))\nanswer('drop what is unused')",
  );
  const desk = await openDesk();
  const { calls } = desk;
  const { id: study } = await calls.studies.start({
    ...{ path, tag: 'night', stop: { experiments: 1 } },
    proposer: { kind: 'command', command, timeoutSeconds: 30 },
  });
  const card = await untilStopped(desk, study);
  expect((await calls.experiments.get({ study, n: 1 })).cell.verdict).toEqual({
    word: 'keep',
    reason: 'simplified',
  });
  expect(card.tally).toMatchObject({ best: 0.5, bestExperiment: 1, keep: 2, discard: 0, keepRate: 1 });
  const { n, commit } = await calls.studies.applyBest({ study, branch: 'best' });
  expect(n).toBe(1);
  expect(commit).toBe(await git(path, 'rev-parse', 'autoresearch/night'));
  const [notice] = eventsOfType(desk.events, 'notice').filter(event => event.notice.kind === 'new_best');
  expect(notice?.notice).toMatchObject({
    n: 1,
    body: 'val_bpb 0.5 as before, with simpler code, in experiment 1 of night.',
  });
  const status = await pawl(['status', path], { home: desk.home });
  expect(status.stdout).toContain('best 0.500000 in #1\n');
});
