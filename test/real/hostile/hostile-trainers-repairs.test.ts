import { expect, test } from 'vitest';
import { eventsOf, pawl } from '../../support/pawl.ts';
import { createRepository, git } from '../../support/scaffold.ts';
import {
  asked,
  hostileStudy,
  proposer,
  query,
  SHELL_FILES,
  TAG,
  trainerFiles,
} from '../../support/trainers.ts';

/** A proposer's turn that replaces text of the training script. */
function replace(from: string, to: string): string {
  return `text = open('train.sh').read()
open('train.sh', 'w').write(text.replace(${JSON.stringify(from)}, ${JSON.stringify(to)}))
answer()`;
}

const REPAIRABLE = `value = 0.9  # here
if value < 0: raise ValueError('no')
report(value)
`;

test('a crash goes back to the proposer as a repair, twice at most, and every attempt is kept', async () => {
  const { command, folder } = await proposer(
    replace('value = 0.9', 'value = 1 / 0'),
    replace('value = 1 / 0', 'value = 0.8'),
    replace('value = 0.8', 'value = first()'),
    replace('value = first()', 'value = second()'),
    replace('value = second()', 'value = third()'),
    replace('value = 0.8', 'value = 0.7'),
  );
  const { home, repository, verdicts, metrics, messages, log } = await hostileStudy({
    repository: await createRepository(trainerFiles({ script: REPAIRABLE })),
    script: '',
    experiments: 3,
    flags: ['--command', command],
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'crash exception', 'keep better']);
  expect(metrics).toEqual([0.9, 0.8, null, 0.7]);
  const kinds = await Promise.all([...Array(6).keys()].map(turn => asked(folder, turn)));
  expect(kinds.map(({ kind, experiment }) => `${kind} ${experiment}`)).toEqual([
    ...['propose 1', 'repair 1', 'propose 2', 'repair 2', 'repair 2', 'propose 3'],
  ]);
  expect(kinds[1]?.repair).toMatchObject({
    hypothesis: 'one more line',
    count: 1,
    crash: { class: 'exception', message: 'ZeroDivisionError: division by zero' },
  });
  expect(kinds[4]?.repair).toMatchObject({ count: 2, crash: { message: expect.stringContaining('second') } });
  const refs = await git(repository, 'for-each-ref', '--format=%(refname:lstrip=3)', `refs/pawl/${TAG}`);
  expect(refs.split('\n').sort()).toEqual(['0', '1', '1.1', '2', '2.1', '2.2', '3']);
  const change = await git(repository, 'diff', `refs/pawl/${TAG}/1`, `refs/pawl/${TAG}/1.1`);
  expect(change).toContain('-value = 1 / 0');
  expect(change).toContain('+value = 0.8');
  expect(await git(repository, 'rev-parse', `refs/pawl/${TAG}/1.1^`)).toBe(
    await git(repository, 'rev-parse', `refs/pawl/${TAG}/0`),
  );
  expect((await log(1, 0)).toString()).toContain('ZeroDivisionError');
  expect((await log(1, 1)).toString()).toContain('val_bpb: 0.8');
  expect(query(home, 'SELECT id FROM run')).toHaveLength(7);
  expect(messages[2]).toContain('third');
});

test('a crash stands, and is told, when its repair is refused', async () => {
  const { command, folder } = await proposer(
    replace('value = 0.9', 'value = -1'),
    "open('prepare.sh', 'w').write('x')\nanswer()",
    replace('value = 0.9', 'value = 0.7'),
  );
  const { repository, verdicts, messages, events } = await hostileStudy({
    repository: await createRepository(trainerFiles({ script: REPAIRABLE })),
    script: '',
    experiments: 2,
    flags: ['--command', command],
  });
  const kinds = await Promise.all([0, 1, 2].map(turn => asked(folder, turn)));
  expect(kinds.map(({ kind, experiment }) => `${kind} ${experiment}`)).toEqual([
    'propose 1',
    'repair 1',
    'propose 2',
  ]);
  expect(verdicts).toEqual(['keep baseline', 'crash exception', 'keep better']);
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(['not_editable']);
  expect(messages[1]).toBe('ValueError: no');
  expect(await git(repository, 'show', `refs/pawl/${TAG}/1:train.sh`)).toContain('value = -1');
});

test('the message of a verdict names the crash it came from, also after repairs', async () => {
  const broken = (name: string) => `open('train.sh', 'a').write('${name}()\\n')\nanswer()`;
  const { command } = await proposer(broken('first'), 'sys.exit(1)', 'sys.exit(1)');
  const { messages, verdicts } = await hostileStudy({
    repository: await createRepository(trainerFiles({ script: REPAIRABLE })),
    script: '',
    experiments: 1,
    flags: ['--command', command],
  });
  expect(verdicts).toEqual(['keep baseline', 'crash exception']);
  // Newer Pythons add a guess at what was meant.
  expect(messages[1]).toMatch(/^NameError: name 'first' is not defined/);
});

test('words of a proposal cannot break a table, a commit or the screen', async () => {
  const { command } = await proposer(
    String.raw`edit()
answer('a\tb\nc\x1b]0;evil\x07\x1b[2J\x00d', rationale='\x1b[31mred\x1b[0m\nPawl-Experiment: 99\x00', category='\x1b[1mbold')`,
  );
  const { home, repository, verdicts } = await hostileStudy({
    repository: await createRepository(SHELL_FILES),
    script: '',
    experiments: 1,
    flags: ['--command', command],
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better']);
  const show = await pawl(['show', '1', '-C', repository], { home });
  const table = await pawl(['results', '-C', repository], { home });
  const tsv = await pawl(['results', '--format', 'tsv', '-C', repository], { home });
  for (const { stdout, code } of [show, table, tsv]) {
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  }
  expect(
    tsv.stdout
      .trimEnd()
      .split('\n')
      .map(row => row.split('\t').length),
  ).toEqual([5, 5, 5]);
  const message = await git(repository, 'log', '-1', '--format=%B', `autoresearch/${TAG}`);
  expect(message).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});
