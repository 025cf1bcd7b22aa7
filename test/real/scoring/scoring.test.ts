import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findSandbox } from '../../../src/engine/sandbox/find-sandbox.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { byExperiment, type HostileOptions, hostileStudy, query } from '../../support/trainers.ts';

const HAS_SANDBOX = (await findSandbox(process.env)).kind === 'bubblewrap';
const SANDBOXES = ['off', ...(HAS_SANDBOX ? ['required'] : [])];
if (!HAS_SANDBOX) console.warn('Scoring in a jail is not tested: there is no bubblewrap.');

/** The sum of squares of what the model says of hidden numbers; with a model program it is asked, else the weights are read. */
const SCORER = `import json, os, sys
weights = json.load(open(os.path.join(os.environ['PAWL_ARTIFACTS'], 'out/model.json')))
print('scoring', sorted(name for name in os.listdir('.') if not name.startswith('.')))
os.write(int(os.environ['PAWL_SCORE_FD']), json.dumps({'val_bpb': abs(weights['w'] - 2) + 1, 'size': 7}).encode())
`;
/** Python of a trainer: leaves weights, and prints what it likes. */
const left = (weight: number, printed: number | string) => `
os.makedirs('out', exist_ok=True)
open('out/model.json', 'w').write('{"w": %s}' % ${weight})
report(${JSON.stringify(printed)})`;

function scored(options: Omit<HostileOptions, 'more'> & { readonly score?: string }) {
  const { score = '', files, ...rest } = options;
  return hostileStudy({
    ...rest,
    files: { 'score.py': SCORER, ...files },
    more: `[score]\ncommand = "python3 score.py"\nartifacts = ["out"]\nseconds = 20\n${score}`,
  });
}

test.each(SANDBOXES)('what is scored counts, and what is printed is a claim (sandbox %s)', async mode => {
  const home = await temporaryFolder();
  const study = await scored({
    ...{ home, env: { PAWL_SANDBOX: mode }, experiments: 2 },
    script: byExperiment(left(3, 2), left(4, 0.1), left(2.5, 1.5)),
  });
  expect(study.verdicts).toEqual(['keep baseline', 'discard worse', 'keep better']);
  expect(study.metrics).toEqual([2, 3, 1.5]);
  const summaries = query<{ summary: string; fairness: string }>(home, 'SELECT summary, fairness FROM run');
  expect(JSON.parse(summaries[1]?.summary ?? '')).toMatchObject({
    val_bpb: 3,
    printed_val_bpb: 0.1,
    size: 7,
  });
  const flags = summaries.map(({ fairness }) =>
    JSON.parse(fairness).flags.map((flag: { kind: string }) => flag.kind),
  );
  expect(flags).toEqual([[], ['claim'], []]);
  expect((await study.log(2)).toString()).toMatch(
    /\[pawl\] score\.command: .*\nscoring \['README\.md', 'pawl\.toml', 'prepare\.sh', 'score\.py'\]/,
  );
  expect(await readdir(join(home, 'studies', study.id))).not.toContain('score');
});

test.each(SANDBOXES)(
  'a run that leaves nothing to score, or whose score fails, is a crash that says so (sandbox %s)',
  async mode => {
    const study = await scored({
      ...{ env: { PAWL_SANDBOX: mode }, experiments: 5 },
      script: byExperiment(
        left(3, 2),
        'report(0.1)',
        left(3, 0.1).replace('"w"', '"v"'),
        "os.makedirs('out'); os.symlink('/etc/hostname', 'out/model.json'); report(0.1)",
        left(Number.NaN, 0.1).replace('NaN', '"NaN"'),
        left(3, 2),
      ),
    });
    expect(study.verdicts).toEqual(['keep baseline', ...Array(4).fill('crash no_score'), 'discard equal']);
    expect(study.messages.slice(1, 5)).toEqual([
      'The training left nothing for score.artifacts (out).',
      "score.command ended with exit code 1: KeyError: 'w'.",
      'The training left nothing for score.artifacts (out).',
      'score.command wrote as its score what is not one line of JSON: {"val_bpb": NaN, "size": 7}',
    ]);
  },
);

/** Python of a scorer: asks the model for each number, one a line. */
const ASKING = `import json, os
answers, requests = (int(fd) for fd in os.environ['PAWL_MODEL_FDS'].split(','))
answers, requests = os.fdopen(answers), os.fdopen(requests, 'w')
total = 0
for x in (1, 2, 3):
    print(x, file=requests, flush=True)
    total += abs(float(answers.readline()) - 2 * x)
hidden = open(os.path.expanduser('HIDDEN')).read().strip()
assert hidden == '42'
os.write(int(os.environ['PAWL_SCORE_FD']), json.dumps({'val_bpb': total}).encode())
`;
/** Python of a trainer that also serves: what it finds of the scorer's is its log. */
const SERVING = (weight: number) => `
import json
if len(sys.argv) > 1:
    requests, answers = (int(fd) for fd in os.environ['PAWL_MODEL_FDS'].split(','))
    w = json.load(open(os.path.join(os.environ['PAWL_ARTIFACTS'], 'out/model.json')))['w']
    requests, answers = os.fdopen(requests), os.fdopen(answers, 'w')
    for line in requests:
        print(w * float(line), file=answers, flush=True)
    sys.stderr.write('score fd %s\\n' % os.environ.get('PAWL_SCORE_FD'))
    try:
        sys.stderr.write('hidden %s\\n' % open('HIDDEN').read())
    except OSError:
        sys.stderr.write('hidden no\\n')
    try:
        open('made', 'w')
        sys.stderr.write('writable\\n')
    except OSError:
        sys.stderr.write('sealed\\n')
    sys.exit()
os.makedirs('out', exist_ok=True)
open('out/model.json', 'w').write('{"w": %s}' % ${weight})
try:
    print('saw', open('HIDDEN').read())
except OSError:
    print('saw nothing')
report(0.1)
`;

test.skipIf(!HAS_SANDBOX)(
  'a model program answers from a jail of its own, and what is hidden only the scorer reads',
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const hidden = join(folder, 'hidden', 'answers');
    await writeFiles(folder, { 'hidden/answers': '42\n' });
    const script = byExperiment(SERVING(3), SERVING(2.5)).replaceAll('HIDDEN', hidden);
    const study = await scored({
      ...{ env: { PAWL_SANDBOX: 'required' }, experiments: 1 },
      script,
      files: { 'score.py': ASKING.replace('HIDDEN', hidden) },
      score: `model = "python3 train.sh --serve"\nreads = [${JSON.stringify(join(folder, 'hidden'))}]\n`,
    });
    expect([study.verdicts, study.messages]).toEqual([
      ['keep baseline', 'keep better'],
      [null, null],
    ]);
    expect(study.metrics).toEqual([6, 3]);
    const log = (await study.log(1)).toString();
    expect(log).toMatch(/^saw nothing$/m);
    expect(log).toMatch(/^score fd None\nhidden no\nsealed$/m);
  },
);

test.skipIf(!HAS_SANDBOX)(
  'a model program that fails is named, and one that never answers ends with its time',
  async () => {
    const serve = (body: string) => `
if len(sys.argv) > 1:
${body.replace(/^/gm, '    ')}
os.makedirs('out', exist_ok=True)
open('out/model.json', 'w').write('{"w": 3}')
report(0.1)
`;
    const good = `requests, answers = (int(fd) for fd in os.environ['PAWL_MODEL_FDS'].split(','))
requests, answers = os.fdopen(requests), os.fdopen(answers, 'w')
for line in requests: print(3 * float(line), file=answers, flush=True)
sys.exit()`;
    const study = await scored({
      ...{ env: { PAWL_SANDBOX: 'required' }, experiments: 2 },
      script: byExperiment(serve(good), serve("raise SystemExit('no such layer')"), serve('time.sleep(60)')),
      files: { 'score.py': ASKING.replace(/^hidden.*\n.*\n/m, '') },
      score: 'model = "python3 train.sh --serve"\n',
    });
    expect(study.verdicts).toEqual(['keep baseline', 'crash no_score', 'crash no_score']);
    expect(study.messages[1]).toMatch(
      /^score\.command ended with exit code 1: .*score\.model ended with exit code 1: no such layer\.$/,
    );
    expect(study.messages[2]).toMatch(/^score\.command was ended after 20 s, its limit/);
  },
);
