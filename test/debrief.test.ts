import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ratioOf, wilson } from '../src/engine/debrief/arms.ts';
import { awaySeconds, findSittings, pausedSeconds } from '../src/engine/debrief/sittings.ts';
import { parseEdits, readEdits } from '../src/engine/git/read-edits.ts';
import { openRepository } from '../src/engine/git/repository.ts';
import { forOthers } from '../src/engine/report/for-others.ts';
import { writeHtml } from '../src/engine/report/write-html.ts';
import { writeMarkdown } from '../src/engine/report/write-markdown.ts';
import type { Debrief } from '../src/shared/debrief/debrief.ts';
import { resourceRows } from '../src/shared/debrief/describe-debrief.ts';
import type { Mark } from '../src/shared/notebook.ts';
import { createRepository, git } from './support/scaffold.ts';

function mark(kind: Mark['kind'], at: number, host: string | null = null): Mark {
  return { id: at, n: 0, kind, at, text: '', host };
}

test('a sitting is from its start to its stop; one that died ends with the last thing that happened in it', () => {
  const marks = [
    mark('started', 100),
    mark('stopped', 200),
    mark('steered', 250),
    mark('started', 300),
    mark('unfair', 340),
    mark('steered', 380),
    mark('started', 400),
  ];
  expect(findSittings(marks, [150, 200, 320, 450], true)).toEqual([
    { from: 100, until: 200, experiments: 2 },
    { from: 300, until: 340, experiments: 1 },
    { from: 400, until: null, experiments: 1 },
  ]);
  // Its engine died too.
  expect(findSittings(marks, [450], false).at(-1)).toEqual({ from: 400, until: 450, experiments: 1 });
});

test('the time of a pause ends with the pause, with the sitting, or now', () => {
  const span = { from: 0, until: 100_000 };
  const marks = [
    mark('paused', 10_000),
    mark('continued', 30_000),
    mark('paused', 90_000),
    mark('stopped', 100_000),
  ];
  expect(pausedSeconds(marks, span, 0)).toBe(30);
  expect(pausedSeconds([mark('paused', 10_000)], { from: 0, until: null }, 50_000)).toBe(40);
});

test('a host is missing until it joins, until the sitting ends, or now', () => {
  const spans = [
    { from: 0, until: 100_000 },
    { from: 200_000, until: null },
  ];
  const marks = [
    mark('host_away', 10_000, 'lab one'),
    mark('host_away', 20_000, 'lab2'),
    mark('host_joined', 40_000, 'lab one'),
    mark('host_away', 210_000, 'lab2'),
  ];
  expect(awaySeconds(marks, spans, 240_000)).toEqual([
    { host: 'lab one', seconds: 30 },
    { host: 'lab2', seconds: 110 },
  ]);
});

test('an edit is its files and the constants that got another literal', () => {
  const [one, two] = ['a'.repeat(40), 'b'.repeat(40)];
  const edits = parseEdits(`${one}
diff --git a/train.py b/train.py
index 1..2 100644
--- a/train.py
+++ b/train.py
@@ -1 +1 @@
-LR = 0.1
+LR = 0.2  # larger
@@ -9 +9,2 @@
-x = compute()
+x = compute(1)
+NEW = 3
${two}
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
--- a comment of two dashes
`);
  expect(edits.get(one)).toMatchObject({ files: ['train.py'], constants: ['LR'] });
  expect([...(edits.get(one)?.lines ?? [])]).toEqual([
    'train.py\n+LR = 0.2  # larger',
    'train.py\n+x = compute(1)',
    'train.py\n+NEW = 3',
  ]);
  expect(edits.get(two)).toMatchObject({ files: ['old.py'], constants: [] });
  expect([...(edits.get(two)?.lines ?? [])]).toEqual(['old.py\n--- a comment of two dashes']);
});

test('edits of many commits are read at once, as long as they are not too large to be code', async () => {
  const repository = await createRepository({ 'train.py': 'LR = 1\n' });
  for (const value of [2, 3]) {
    await writeFile(join(repository, 'train.py'), `LR = ${value}\n`);
    await git(repository, 'commit', '--quiet', '--all', '--message=edit');
  }
  const commits = (await git(repository, 'log', '--format=%H', '-2')).split('\n');
  const edits = await readEdits(await openRepository(repository), commits);
  expect([...edits.keys()].sort()).toEqual([...commits].sort());
  expect([...edits.values()]).toMatchObject(Array(2).fill({ files: ['train.py'], constants: ['LR'] }));
  await expect(readEdits(await openRepository(repository), commits, 50)).rejects.toMatchObject({
    code: 'git_failed',
  });
});

test('the interval of a share is that of Wilson', () => {
  const interval = wilson(8, 10);
  expect(interval?.value).toBe(0.8);
  expect(interval?.low).toBeCloseTo(0.541, 3);
  expect(interval?.high).toBeCloseTo(0.931, 3);
  expect(wilson(0, 0)).toBeNull();
});

test('a rate has an interval around it, the same each time, and none of few experiments or of no denominator', () => {
  const pairs = Array.from({ length: 40 }, (_, n) => [n % 4 === 0 ? 1 : 0, 0.5] as const);
  const rate = ratioOf(pairs);
  expect(rate?.value).toBe(0.5);
  expect(rate?.low).toBeGreaterThan(0.2);
  expect(rate?.high).toBeLessThan(0.85);
  expect(rate?.low).toBeLessThan(0.5);
  expect(ratioOf(pairs)).toEqual(rate);
  expect(ratioOf(pairs.slice(0, 4))).toBeNull();
  expect(ratioOf(pairs.map(([gain]) => [gain, 0] as const))).toBeNull();
});

test('what a model wrote is text in every form of a report', () => {
  const words = '<img src=x onerror=alert(1)> [a](http://b.c) @someone #12 | *x* `y`\nnext';
  const document = {
    title: words,
    blocks: [
      { kind: 'list', items: [words] },
      { kind: 'table', columns: [{ name: 'A' }], rows: [[words]] },
      { kind: 'code', title: 'Diff', text: '+```\n+</pre><script>' },
    ],
  } as const;
  const html = writeHtml(document);
  expect(html).not.toMatch(/<img|<script/);
  const markdown = writeMarkdown(document);
  expect(
    markdown
      .split('\n')
      .filter(line => line.startsWith('| '))
      .map(line => line.match(/(?<!\\)\|/g)?.length),
  ).toEqual([2, 2, 2]);
  expect(markdown).not.toMatch(/@someone|#12|http:\/\/|(?<!\\)<img/);
  expect(markdown).toMatch(/\n````diff\n\+```\n/);
});

test('a text for others names no path of this machine and no key', () => {
  const key = `sk-ant-${'x1'.repeat(20)}`;
  const text = `no /data/home/worktrees/a/x.bin, /data/home2, ${key}, s3cret-value and AKIA${'A'.repeat(16)}`;
  const hidden = forOthers(text, {
    paths: [
      ['/data/home', 'PAWL_HOME'],
      ['/data/home/worktrees/a', 'repo'],
      ['/', 'root'],
    ],
    environment: { MY_API_KEY: 's3cret-value', MONKEY: 'no /data', A_TOKEN: 'and' },
  });
  expect(hidden).toBe('no repo/x.bin, PAWL_HOME2, [hidden], [hidden] and [hidden]');
});

describe('what 0.001 of the gain cost', () => {
  const record = (n: number, mean: number) => ({ n, record: { mean, runs: 1 } });
  const claims = { keeps: [{ n: 3 }, { n: 7 }], headline: { difference: -0.002, error: 0.0003, runs: 8 } };
  const rows = (fields: object) =>
    resourceRows({
      ...{ study: { metric: { name: 'loss', goal: 'minimize' } }, resources: { energyWh: 100, costUsd: 2 } },
      ...{ before: record(0, 0.99), after: record(7, 0.98), claims: null, ...fields },
    } as unknown as Debrief).slice(2);

  test('is of the gain on record as long as none is claimed', () => {
    expect(rows({})).toEqual([
      ['calls to models for 0.001 of loss, on record', '$0.20'],
      ['energy for 0.001 of loss, on record', '10 Wh'],
    ]);
    expect(rows({ claims: { ...claims, headline: null } })).toEqual(rows({}));
    // A sitting that did not begin with the baseline.
    expect(rows({ before: record(3, 0.99), claims })).toEqual(rows({}));
  });

  test('is of the claimed gain where fresh runs measured it, and of nothing where they found none', () => {
    expect(rows({ claims })).toEqual([
      ['calls to models for 0.001 of loss', '$1.00'],
      ['energy for 0.001 of loss', '50 Wh'],
    ]);
    expect(rows({ claims: { ...claims, headline: { ...claims.headline, difference: 0.001 } } })).toEqual([]);
  });

  test('is of the number itself where the same code always gives the same', () => {
    expect(rows({ claims: { ...claims, isRepeatable: true } })).toEqual([
      ['calls to models for 0.001 of loss', '$0.20'],
      ['energy for 0.001 of loss', '10 Wh'],
    ]);
  });
});
