import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adviseOnOutputs, isCodeName, isOutputName } from '../../../src/engine/contract/outputs.ts';
import { parsePawlToml } from '../../../src/engine/contract/pawl-toml.ts';
import { openRepository } from '../../../src/engine/git/repository.ts';
import { Workbench } from '../../../src/engine/stages/edit/workbench.ts';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { checkInvariants } from '../../support/invariants.ts';
import { eventsOf, sitting } from '../../support/pawl.ts';
import { findWorktree } from '../../support/repositories.ts';
import {
  contractFile,
  createRepository,
  git,
  snapshotUserState,
  temporaryFolder,
} from '../../support/scaffold.ts';
import { byExperiment, hostileStudy, proposer, TAG } from '../../support/trainers.ts';

const SANDBOXES = ['off', ...(HAS_SANDBOX ? ['required'] : [])];

const TOUCHED = 'crash locked_file_touched';

test.each(SANDBOXES)(
  'a training that appends to a committed table runs, and each run finds it as committed (sandbox %s)',
  async mode => {
    const repository = await createRepository({
      'train.py':
        'LR = 0.1\nwith open("results.tsv", "a") as f: f.write("x\\t%.4f\\tkeep\\n" % (1 + LR))\n' +
        'print("---"); print("val_bpb: %.4f" % (1 + LR))\n',
      'prepare.py': 'TIME_BUDGET = 2\n',
      'program.md': '# program\n',
      'results.tsv': 'commit\tval_bpb\tstatus\n',
    });
    const home = await temporaryFolder();
    const userState = await snapshotUserState(repository);
    const args = ['run', repository, '--tag', TAG, '-n', '2'];
    const { code, events } = await sitting(args, { home, env: { PAWL_SANDBOX: mode } });
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').filter(({ verdict }) => verdict === 'crash')).toEqual([]);
    const { path } = await findWorktree(repository, home);
    const lines = (await readFile(join(path, 'results.tsv'), 'utf8')).trimEnd().split('\n');
    expect(lines).toEqual(['commit\tval_bpb\tstatus', expect.stringMatching(/^x\t\d\.\d{4}\tkeep$/)]);
    await checkInvariants({ repository, home, tag: TAG, userState, editable: ['train.py'] });
  },
);

/** Python: appends to a file, and reports 99 where it was not what is committed. */
const append = (name: string, value: number) =>
  `same = open('${name}').read() == 'committed\\n'
open('${name}', 'a').write('more\\n')
report(${value} if same else 99)`;

test.each(SANDBOXES)(
  'what the baseline changed is an output for the attempts, also in a later sitting (sandbox %s)',
  async mode => {
    const home = await temporaryFolder();
    const env = { PAWL_SANDBOX: mode };
    const study = await hostileStudy({
      ...{ home, env, experiments: 1 },
      files: { 'curve.dat': 'committed\n', 'val.csv': 'committed\n' },
      script: byExperiment(
        append('curve.dat', 0.9),
        append('curve.dat', 0.8),
        append('curve.dat', 0.7),
        `try:\n    open('val.csv', 'a').write('easier')\nexcept OSError:\n    pass\n${append('curve.dat', 0.6)}`,
      ),
    });
    expect(study.metrics).toEqual([0.9, 0.8]);
    const warnings = eventsOf(study.events, 'warning').filter(({ code }) => code === 'outputs');
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^The baseline writes tracked files: curve\.dat\..*contract\.locked/),
    ]);
    const { events } = await sitting(['resume', study.repository, '-n', '3'], { home, env });
    const verdicts = eventsOf(events, 'verdict').map(({ verdict, reason }) => `${verdict} ${reason}`);
    // Contained it cannot even be written.
    expect(verdicts).toEqual(['keep better', mode === 'off' ? TOUCHED : 'keep better']);
    expect(eventsOf(events, 'warning')).toEqual([]);
  },
);

test('data that the baseline only reads is locked for every attempt, and the crash says what to do', async () => {
  const { verdicts, messages } = await hostileStudy({
    experiments: 2,
    files: { 'val.csv': 'committed\n', 'data/results.tsv': 'committed\n' },
    script: byExperiment('report(0.9)', append('val.csv', 0.1), append('data/results.tsv', 0.1)),
  });
  expect(verdicts).toEqual(['keep baseline', TOUCHED, TOUCHED]);
  expect(messages[1]).toBe(
    'The training changed locked files: val.csv. Its numbers do not count. If the training should write one of them, ' +
      'list the files that it must not write as contract.locked in pawl.toml (or --locked in the terminal): files not listed there are restored before each run.',
  );
});

test('code is locked for the baseline too, and so are the instructions and what may be executed', async () => {
  for (const name of ['prepare.sh', 'lib/more.py', 'config.json', 'Makefile', 'program.md', 'tool.txt']) {
    const repository = await createRepository({
      'train.sh': `echo x >> ${name}\necho "val_bpb: 1"\n`,
      'pawl.toml': contractFile({ more: 'instructions = "program.md"' }),
      ...{ 'prepare.sh': 'x\n', 'lib/more.py': 'x\n', 'config.json': 'x\n', Makefile: 'x\n' },
      ...{ 'program.md': 'x\n', 'tool.txt': 'x\n' },
    });
    await git(repository, 'update-index', '--chmod=+x', 'tool.txt');
    await git(repository, 'commit', '--quiet', '--message=tool');
    const args = ['run', repository, '--tag', TAG, '-n', '0'];
    const { events } = await sitting(args, { home: await temporaryFolder() });
    expect(eventsOf(events, 'verdict').map(({ reason }) => `${name} ${reason}`)).toEqual([
      `${name} locked_file_touched`,
    ]);
  }
});

test('what the contract names is locked whatever it is called, and nothing else is', async () => {
  const night = (locked: string) =>
    hostileStudy({
      experiments: 1,
      more: `locked = ["${locked}"]`,
      files: { 'results.tsv': 'committed\n', 'val.csv': 'committed\n' },
      script: byExperiment(append('val.csv', 0.9), append('results.tsv', 0.8)),
    });
  expect((await night('results.tsv')).verdicts).toEqual(['keep baseline', TOUCHED]);
  expect((await night('prepare.sh')).verdicts).toEqual(['keep baseline', 'keep better']);
  expect((await night('*.csv')).messages[0]).toContain('do not name it as contract.locked in pawl.toml');
});

test('an output is as committed again after a crash and for its repair', async () => {
  const trainer = `[ "$(cat results.tsv)" = committed ] || { echo "val_bpb: 99"; exit 0; }
echo more >> results.tsv
printf -- '---\\nval_bpb: 0.%02d\\n' $((99 - $(wc -l < train.sh)))
`;
  const { command } = await proposer(
    "edit()\nopen('train.sh', 'a').write('exit 3\\n')\nanswer()",
    'sh("sed -i \'/^exit 3/d\' train.sh")\nedit()\nanswer()',
  );
  const repository = await createRepository({
    ...{ 'train.sh': trainer, 'pawl.toml': contractFile(), 'results.tsv': 'committed\n' },
  });
  const { verdicts, events } = await hostileStudy({
    ...{ repository, script: '', experiments: 2, flags: ['--command', command] },
  });
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'keep better']);
  expect(eventsOf(events, 'run_finished').map(({ n, k, outcome }) => `${n}.${k} ${outcome}`)).toEqual([
    ...['0.0 exit 0', '1.0 exit 3', '1.1 exit 0', '2.0 exit 0'],
  ]);
});

test('a further run of the same commit finds its outputs as committed', async () => {
  const toml = contractFile();
  const folder = await createRepository({
    'train.sh': 'x\n',
    'pawl.toml': toml,
    'results.tsv': 'committed\n',
  });
  const baseCommit = await git(folder, 'rev-parse', 'HEAD');
  const contract = parsePawlToml(toml, 'pawl.toml');
  const study = { contract, preserved: [], outputs: [], writtenFolders: null, baseCommit };
  const path = join(await temporaryFolder(), 'worktree');
  const { signal } = new AbortController();
  const workbench = new Workbench(await openRepository(folder), path, study, signal, null);
  for (let run = 0; run < 2; run += 1) {
    await workbench.checkout(baseCommit);
    expect(await readFile(join(path, 'results.tsv'), 'utf8')).toBe('committed\n');
    await appendFile(join(path, 'results.tsv'), 'more\n');
    expect(await workbench.findTouchedLocks()).toEqual([]);
  }
  await workbench.checkout(baseCommit);
  // Not what a proposer may write, though.
  await writeFile(join(path, 'results.tsv'), 'better\n');
  expect(await workbench.readEdit()).toMatchObject({ kind: 'refused', reason: 'not_editable' });
});

test('names tell code from outputs, and both from data', () => {
  const sortOf = (path: string) =>
    isCodeName(path) ? 'code' : isOutputName(path) ? 'output' : 'locked unless the baseline writes it';
  const sorts = Map.groupBy(
    `prepare.py Makefile Dockerfile.gpu requirements-dev.txt CMakeLists.txt .gitignore LICENSE model_config.json a/package-lock.json
     uv.lock conf/base.yaml results.sh caf\0e9
     run.log train.log logs/a.log results.tsv metrics.json trainMetrics.jsonl experiments/RESULTS.md best_scores_2.csv log.txt
     val.bin val.csv evalResults.json test_metrics.csv data/results.csv test.log history.csv README.md tokens.npy logs/2024.txt
     baseline_results.json catalog.csv`.split(/\s+/),
    sortOf,
  );
  expect(Object.fromEntries(sorts)).toEqual({
    code: [
      ...['prepare.py', 'Makefile', 'Dockerfile.gpu', 'requirements-dev.txt', 'CMakeLists.txt', '.gitignore'],
      ...['LICENSE', 'model_config.json', 'a/package-lock.json', 'uv.lock', 'conf/base.yaml', 'results.sh'],
      'caf\0e9',
    ],
    output: [
      ...['run.log', 'train.log', 'logs/a.log', 'results.tsv', 'metrics.json', 'trainMetrics.jsonl'],
      ...['experiments/RESULTS.md', 'best_scores_2.csv', 'log.txt'],
    ],
    'locked unless the baseline writes it': [
      ...['val.bin', 'val.csv', 'evalResults.json', 'test_metrics.csv', 'data/results.csv', 'test.log'],
      ...['history.csv', 'README.md', 'tokens.npy', 'logs/2024.txt', 'baseline_results.json', 'catalog.csv'],
    ],
  });
  expect(adviseOnOutputs(['prepare.py'], { locked: null, source: 'pawl.toml' })).toBe('');
});
