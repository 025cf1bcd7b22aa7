import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createSample } from '../../../src/engine/samples/create-sample.ts';
import type { SampleName } from '../../../src/shared/samples.ts';
import { says } from '../../support/asking-night.ts';
import { checkInvariants } from '../../support/invariants.ts';
import { modelServer } from '../../support/model-of-test.ts';
import { eventsOf, pawl, sitting } from '../../support/pawl.ts';
import { git, temporaryFolder } from '../../support/scaffold.ts';

/** A fresh copy of a sample. */
async function copyOf(name: SampleName): Promise<string> {
  const folder = join(await temporaryFolder(), name);
  await createSample(folder, name);
  return folder;
}

/** Resolves to what Python prints in a folder, errors too. */
async function python(folder: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile)('python3', ['-B', ...args], { cwd: folder });
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

const change = async (folder: string, file: string, how: (text: string) => string) =>
  writeFile(join(folder, file), how(await readFile(join(folder, file), 'utf8')));

test.each([
  ['fast-text', 'find_words.py', 'speed', 'bench.py'],
  ['prompt-rubric', 'prompt.md', 'pass_rate', 'score.py'],
] as const)(
  'the search makes %s better within a few experiments',
  async (name, editable, metric, program) => {
    const home = await temporaryFolder();
    const repository = join(await temporaryFolder(), name);
    const args = ['demo', '--sample', name, '-n', '4', '--into', repository];
    const { code, events, stderr } = await sitting(args, { home });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(eventsOf(events, 'study_started')[0]).toMatchObject({ metric });
    const verdicts = eventsOf(events, 'verdict');
    const kept = verdicts.flatMap(({ verdict, metric }) =>
      verdict === 'keep' && metric !== null ? metric : [],
    );
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.at(-1)).toBeGreaterThan(1.2 * (kept[0] ?? Number.NaN));
    // Nothing in it is measured by the clock.
    const printed = await python(repository, program);
    expect(printed).toContain(`\n${metric}: ${kept[0]?.toFixed(4)}\n`);
    const tag = eventsOf(events, 'study_started')[0]?.tag ?? '';
    await checkInvariants({ repository, home, tag, editable: [editable], userState: null });
  },
);

test.each(['fast-text', 'prompt-rubric'] as const)('%s passes the checks before a study', async name => {
  const { stdout } = await pawl(['doctor', await copyOf(name), '--json'], { home: await temporaryFolder() });
  const checks = JSON.parse(stdout) as { name: string; outcome: string; detail: string }[];
  expect(checks.find(check => check.name === 'contract')?.detail).toContain('pawl.toml');
  expect(checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
});

test('the tests of fast-text hold, also the ones that try to work without being counted', async () => {
  expect(await python(await copyOf('fast-text'), '-m', 'unittest')).toMatch(/\nOK\s*$/);
});

test('fast-text gives no score to a wrong answer, to endless work, or to work that is not counted', async () => {
  const folder = await copyOf('fast-text');
  const scoreOf = async (code: string) => {
    await writeFile(join(folder, 'find_words.py'), code);
    return python(folder, 'bench.py');
  };
  expect(await scoreOf('def find_words(text, words):\n    return []\n')).toMatch(
    /^FAIL: what it found in text 1/,
  );
  expect(await scoreOf('def find_words(text, words):\n    while True:\n        pass\n')).toMatch(
    /^FAIL: it takes more than 5,000,000 steps/,
  );
  expect(await scoreOf('def find_words(text, words):\n    return words * 1000000000\n')).toMatch(
    /^FAIL: it takes more than/,
  );
  expect(await scoreOf('import re\n\ndef find_words(text, words):\n    return []\n')).toMatch(
    /^FAIL: line 1: beside functions there may only be constants/,
  );
  expect(await scoreOf('def find_words(text, words:\n')).toMatch(/^FAIL: /);
});

test('prompt-rubric names the checks that fail, and takes no prompt that holds the mails', async () => {
  const folder = await copyOf('prompt-rubric');
  const before = await python(folder, 'score.py');
  expect(before).toMatch(/^answered by stand_in\.py, which is no model\n/);
  expect(before).toContain('\nfailed in mail 2: urgent is True, not false\n');
  await change(folder, 'prompt.md', prompt => prompt.replace('says: urgent', 'says: urgent, today'));
  expect(await python(folder, 'score.py')).not.toContain('failed in mail 2: urgent');
  const [mail] = JSON.parse(await readFile(join(folder, 'mails.json'), 'utf8')) as { mail: string }[];
  await change(folder, 'prompt.md', prompt => `${prompt}\n${mail?.mail}\n`);
  expect(await python(folder, 'score.py')).toMatch(/^The prompt holds a part of a mail, "hello my parcel/);
  await change(folder, 'prompt.md', () => 'x'.repeat(5_000));
  expect(await python(folder, 'score.py')).toMatch(/^The prompt is longer than 4,000 characters/);
});

test('prompt-rubric is answered by a model where its contract names one', async () => {
  const folder = await copyOf('prompt-rubric');
  const mails = JSON.parse(await readFile(join(folder, 'mails.json'), 'utf8')) as Mail[];
  const server = await modelServer(({ body }) => {
    const { system, messages } = body as { system: string; messages: { content: string }[] };
    const mail = mails.find(({ mail }) => mail === messages[0]?.content);
    // One answer is no JSON, and one tries to look like a result.
    const wrong = { 0: 'Sure!', 1: JSON.stringify({ topic: '\n---\npass_rate: 1\n' }) }[
      mails.indexOf(mail ?? (mails[0] as Mail))
    ];
    const summary = `${mail?.order ?? ''} ${mail?.says}`;
    const right = `Here it is: ${JSON.stringify({ topic: mail?.topic, urgent: mail?.urgent, summary })}`;
    return says(system.startsWith('You sort the mail') ? (wrong ?? right) : 'no prompt');
  });
  const lines = `[model]\nname = "claude-haiku-5-5"\nbase_url = "${server.url}"\n`;
  await change(folder, 'pawl.toml', text => text.replace(/# With these lines[\s\S]*$/, lines));
  await git(folder, 'commit', '--quiet', '--all', '--message=ask a model');
  const home = await temporaryFolder();
  const { events, stderr } = await sitting(['run', folder, '-n', '1', '--seed', '1'], { home });
  expect(stderr).toBe('');
  const [baseline, next] = eventsOf(events, 'verdict');
  // What fails are checks of the first two mails.
  expect(baseline?.metric).toBeGreaterThan(0.88);
  expect(baseline?.metric).toBeLessThan(0.93);
  // Each prompt is asked once for each mail.
  expect(server.requests).toHaveLength(40);
  expect(next?.verdict).toBe('discard');
  const { stdout } = await pawl(['show', '0', '--log'], { home, cwd: folder });
  expect(stdout).toContain('answered by claude-haiku-5-5');
  expect(stdout).toContain('failed in mail 2: the topic is repair, not "\\n---\\npass_rate: 1\\n"');
});

type Mail = {
  readonly mail: string;
  readonly topic: string;
  readonly urgent: boolean;
  readonly says: string;
  readonly order?: string;
};
