import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { QUICK_PYTHON } from '../../support/python.ts';
import { temporaryFolder, writeFiles } from '../../support/scaffold.ts';
import { byExperiment, type HostileOptions, hostileStudy, query } from '../../support/trainers.ts';

const SANDBOXES = ['off', ...(HAS_SANDBOX ? ['required'] : [])];

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

function scored(
  options: Omit<HostileOptions, 'more'> & {
    readonly score?: string;
    readonly seconds?: number;
    readonly setup?: string;
  },
) {
  const { score = '', seconds = 20, setup = '', files, ...rest } = options;
  return hostileStudy({
    ...rest,
    files: { 'score.py': SCORER, ...files },
    more: `${setup}[score]\ncommand = '${QUICK_PYTHON} score.py'\nartifacts = ["out"]\nseconds = ${seconds}\n${score}`,
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
      'score.command wrote a score that is not one line of JSON: {"val_bpb": NaN, "size": 7}',
    ]);
  },
);

/** Python of a scorer: asks the model for each number, one per line. */
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
      score: `model = '${QUICK_PYTHON} train.sh --serve'\nreads = [${JSON.stringify(join(folder, 'hidden'))}]\n`,
    });
    expect([study.verdicts, study.messages]).toEqual([
      ['keep baseline', 'keep better'],
      [null, null],
    ]);
    expect(study.metrics).toEqual([6, 3]);
    const log = (await study.log(1)).toString();
    expect(log).toMatch(/^saw nothing$/m);
    const told = await readFile(join(study.home, 'studies', study.id, 'runs', '1', 'score.log'), 'utf8');
    expect(told).toMatch(/^score fd None\nhidden no\nsealed$/m);
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
      score: `model = '${QUICK_PYTHON} train.sh --serve'\n`,
      seconds: 6,
    });
    expect(study.verdicts).toEqual(['keep baseline', 'crash no_score', 'crash no_score']);
    expect(study.messages[1]).toMatch(
      /^score\.command ended with exit code 1: .*score\.model ended with exit code 1: no such layer\.$/,
    );
    expect(study.messages[2]).toMatch(/^score\.command timed out after 6 s/);
  },
);

/** Python of a scorer that takes the weight as the score, after some lines of its own. */
const READING = (lines: string) => `import json, os, sys
${lines}
weights = json.load(open(os.path.join(os.environ['PAWL_ARTIFACTS'], 'out/model.json')))
os.write(int(os.environ['PAWL_SCORE_FD']), json.dumps({'val_bpb': weights['w']}).encode())
`;
const REQUIRED = { PAWL_SANDBOX: 'required' };

test.skipIf(!HAS_SANDBOX)(
  'a scorer has what the set-up made, where the training has it, and not what a training may write there',
  async () => {
    const study = await scored({
      ...{ env: REQUIRED, experiments: 1 },
      setup: `setup = "sh set-up.sh"\n[sandbox]\nwrites = ["build", "cache/open"]\n`,
      files: {
        'set-up.sh': `mkdir -p build cache/open cache/fixed
echo 'VALUE = 1' > build/helper.py; echo 'VALUE = 1' > cache/fixed/fixed.py; echo 'VALUE = 1' > cache/open/opened.py
ln -s /nowhere dangling; ln -s cache/fixed linked
for i in $(seq 300); do echo x > object$i.o; done
echo "import sys; PLACE = '$PWD'" > cache/fixed/place.py
`,
        '.gitignore': 'build/\ncache/\ndangling\nlinked\n*.o\n',
        'score.py': READING(`sys.path[:0] = ['build', 'cache/fixed', 'cache/open']
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
print('helper', has('helper'), 'fixed', has('fixed'), 'opened', has('opened'))
import place
print('place', place.PLACE == os.getcwd(), 'objects', len([n for n in os.listdir('.') if n.endswith('.o')]))
print('dangling', os.readlink('dangling'), 'linked', os.path.exists('linked/fixed.py'))
open(os.path.join(os.environ['XDG_CACHE_HOME'], 'made'), 'w')`),
      },
      script: byExperiment(
        left(3, 2),
        `open('build/helper.py', 'w').write('raise SystemExit')\nopen('cache/open/opened.py', 'w').write('x')\n${left(2, 2)}`,
      ),
    });
    expect([study.verdicts, study.messages]).toEqual([
      ['keep baseline', 'keep better'],
      [null, null],
    ]);
    const log = (await study.log(1)).toString();
    expect(log).toContain('helper False fixed True opened False');
    expect(log).toContain('place True objects 300');
    expect(log).toContain('dangling /nowhere linked True');
  },
);

test.skipIf(!HAS_SANDBOX)(
  'hidden data in a cache of data is hidden there too, and what the programs say of it no proposer reads',
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const cache = join(folder, '.cache', 'autoresearch');
    await writeFiles(folder, {
      '.cache/autoresearch/held/targets': 'SECRET-1\n',
      '.cache/autoresearch/alone': 'SECRET-2\n',
      '.cache/autoresearch/seen': 'seen\n',
      '.cache/autoresearch-more/targets': 'SECRET-3\n',
    });
    const look = `
import subprocess
print('LOOK', subprocess.run(['grep', '-rhs', '-e', 'SECRET-', '-e', 'seen', ${JSON.stringify(folder)}, '/run/pawl'], capture_output=True, text=True).stdout.split())`;
    const study = await scored({
      ...{ env: { ...REQUIRED, HOME: folder }, experiments: 1 },
      script: byExperiment(`${look}${left(3, 2)}`, `${look}${left('"x"' as unknown as number, 2)}`),
      files: {
        'score.py': READING(
          `print(open(${JSON.stringify(join(cache, 'held/targets'))}).read(), open(${JSON.stringify(join(cache, 'alone'))}).read())`,
        ),
      },
      score: `reads = ${JSON.stringify([join(cache, 'held'), join(cache, 'alone'), `${cache}-more`])}\n`,
    });
    expect(study.verdicts).toEqual(['keep baseline', 'crash no_score']);
    for (const n of [0, 1]) {
      const log = (await study.log(n)).toString();
      expect(log).toMatch(/^LOOK \['seen'(?:, 'seen')*\]$/m);
      expect(log).not.toContain('SECRET');
    }
    const told = await readFile(join(study.home, 'studies', study.id, 'runs', '0', 'score.log'), 'utf8');
    expect(told).toContain('SECRET-1');
    expect(study.messages[1]).toMatch(
      /^score\.command ended with exit code 1\. Their output is in score\.log/,
    );
  },
);

test('what cannot be copied ends in a crash, and the night goes on', async () => {
  const study = await scored({
    ...{ env: { PAWL_SANDBOX: 'off' }, experiments: 3, isBoundByRights: true },
    script: byExperiment(
      left(3, 2),
      `${left(3, 2)}\nopen(b'out/\\xff.bin', 'w')`,
      `${left(3, 2)}\nos.chmod('out/model.json', 0)`,
      left(2, 2),
    ),
    files: { 'score.py': READING('') },
  });
  expect(study.verdicts).toEqual(['keep baseline', 'discard equal', 'crash no_score', 'keep better']);
  expect(study.messages[2]).toBe("The scorer's files could not be copied (EACCES).");
});

test('conditions hold for what is scored, and a program may be an artifact', async () => {
  const study = await scored({
    ...{ env: { PAWL_SANDBOX: 'off' }, experiments: 1 },
    files: {
      'score.py': READING(`import subprocess
subprocess.run([os.path.join(os.environ['PAWL_ARTIFACTS'], 'out/program')], check=True)`),
    },
    setup: '[metric.require]\ncorrect = "= 1"\n',
    script: `os.makedirs('out', exist_ok=True)
open('out/program', 'w').write('#!/bin/sh\\nexit 0\\n'); os.chmod('out/program', 0o755)
open('out/model.json', 'w').write('{"w": 3}')
report(2)
print('correct: 1')
`,
  });
  expect([study.verdicts, study.messages[0]]).toEqual([['discard guard'], expect.stringMatching(/correct/)]);
});
