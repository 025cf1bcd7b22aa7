import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { composeMessage } from '../src/engine/notify/message.ts';
import { runLog } from '../src/engine/paths.ts';
import { writeExperiment } from '../src/engine/report/describe-experiment.ts';
import { hider } from '../src/engine/report/for-others.ts';
import { writeReport } from '../src/engine/report/write-report.ts';
import { describeStack } from '../src/engine/stack/pull-request.ts';
import { keptNight, set } from './support/kept-night.ts';
import { git, temporaryFolder } from './support/scaffold.ts';

/** Longer than most of what a text is cut to, so that a cut goes through it. */
const SECRET = `correct-horse-${'battery-staple-'.repeat(8)}!`;
const environment = { MY_TOKEN: SECRET };

test('the git directory elsewhere and the real paths of the home and the temporary folder are hidden', async () => {
  const { study, ports } = await keptNight([], {}, async origin => {
    const linked = join(await temporaryFolder(), 'linked');
    await git(origin, 'worktree', 'add', '--quiet', linked);
    return linked;
  });
  const gitDir = await git(study.repositoryPath, 'rev-parse', '--path-format=absolute', '--git-common-dir');
  const folder = await temporaryFolder();
  try {
    for (const [name, variable] of [
      ['ada', 'HOME'],
      ['tmp', 'TMPDIR'],
    ] as const) {
      await mkdir(join(folder, 'disk', name), { recursive: true });
      await symlink(join(folder, 'disk', name), join(folder, name));
      vi.stubEnv(variable, join(folder, name));
    }
    const hide = hider({ ...study, gitDir }, ports.paths, {});
    const texts = [
      `${gitDir}/objects`,
      ...['ada', 'tmp', 'disk/ada', 'disk/tmp'].map(at => join(folder, at, 'x')),
    ];
    expect(texts.map(hide)).toEqual(['linked/.git/objects', '~/x', 'TMP/x', '~/x', 'TMP/x']);
    const gone = hider({ repositoryPath: '/not/there', gitDir: '/not/there/.git' }, ports.paths, {});
    expect(gone('in /not/there/.git and /not/there/a')).toBe('in there/.git and there/a');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a long reason in the text of a pull request is hidden before it is cut', async () => {
  const rationale = `As it is written in the notes of last week, of which I think: ${SECRET}`;
  const { study, ports } = await keptNight([{ edit: set('LR', 2), metric: 0.9, rationale }]);
  const { text } = await describeStack({ ...ports, environment }, study, null);
  expect(text).toContain('of which I think: \\[hidden\\]');
  expect(text).not.toContain('correct-horse');
});

test('what stands at a point of the chart in a report is hidden before it is cut', async () => {
  const hypothesis = `Use it: ${SECRET}`;
  const { ledger, study, ports } = await keptNight([{ edit: set('LR', 2), metric: 0.9, hypothesis }]);
  const html = await writeReport(
    ledger,
    study,
    { sitting: null, format: 'html', hasDiffs: false },
    { now: 1_700_100_000_000, paths: ports.paths, environment },
  );
  expect(html).toContain('>Use it: [hidden]</text>');
  expect(html).not.toContain('correct-horse');
});

test('a long diff of an experiment is hidden before it is cut', async () => {
  const edit = `yes '${SECRET}, ' | head -n 600 | tr -d '\\n' > notes.txt`;
  const { ledger, study, ports } = await keptNight([{ edit, metric: 0.9 }]);
  const experiment = ledger.experiments.get(study.id, 1);
  if (!experiment) throw new Error('there is no experiment');
  const text = await writeExperiment(ledger, study, experiment, { ...ports, environment });
  expect(text).toContain('+[hidden], [hidden], ');
  expect(text).not.toContain('correct-horse');
});

test('an experiment is told without its diff where the repository is gone', async () => {
  const { repository, ledger, study, ports } = await keptNight([{ edit: set('LR', 2), metric: 0.9 }]);
  const tell = () => {
    const experiment = ledger.experiments.get(study.id, 1);
    if (!experiment) throw new Error('there is no experiment');
    return writeExperiment(ledger, study, experiment, ports);
  };
  const whole = await tell();
  expect(whole).toContain('+LR = 2');
  await rm(repository, { recursive: true });
  expect(await tell()).toBe(`${whole.slice(0, whole.indexOf('<details>')).trimEnd()}\n`);
});

test('the end of a log that is sent begins with a whole line', async () => {
  const { ledger, study, ports, commits } = await keptNight([{ edit: set('LR', 2), metric: 0.9 }]);
  const run = { k: 0, commit: commits[1] ?? '', purpose: null, isContained: false };
  ledger.write(() => ledger.runs.begin(study.id, 1, run, 1));
  const log = runLog(ports.paths, study.id, 1, 0);
  await mkdir(dirname(log), { recursive: true });
  const send = async (text: string) => {
    await writeFile(log, text);
    const notice = { kind: 'crashes', title: 'a', body: 'b', study: study.id, n: 1 } as const;
    const row = { id: 1, at: 1, event: 'verdict', notice } as const;
    return (await composeMessage(row, { diff: false, log: true }, { ...ports, environment }))?.log;
  };
  // The last 4 KiB begin within the secret.
  const end = `${'y'.repeat(4000)}\nlast\n`;
  expect(await send(`first\n${SECRET}${end}`)).toBe('last');
  expect(await send(`${SECRET}\nlast\n`)).toBe('[hidden]\nlast');
  expect(await send('x'.repeat(5000))).toBeNull();
});
