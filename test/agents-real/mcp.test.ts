import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RealName } from '../support/agent-recordings.ts';
import { BASELINE_VALUE } from '../support/gated-night.ts';
import { endOf } from '../support/node-process.ts';
import { pawl, RunningPawl } from '../support/pawl.ts';
import { contractFile, createRepository, FAST_TRAINER, writeFiles } from '../support/scaffold.ts';
import { query, TAG } from '../support/trainers.ts';
import { installedIn, lastingFolder, TRIED } from './place.ts';
import { REAL_PROGRAMS } from './programs.ts';
import { workingWithPawl } from './servers/mind.ts';

/** An agent in a terminal of its own works with Pawl's tools on a study of another process, against a model of this machine. */

/** How long the training of what it proposes takes; by hand also longer than what clients wait for one answer. */
const TRAINING_SECONDS = Number(process.env.PAWL_AGENTS_TRAINING_SECONDS || 4);

const PROMPT = 'Propose an experiment to Pawl, wait for what comes of it, and write a note on it.';

/**
 * Each asked once, at its own time-outs, with Pawl's tools allowed. Codex needs no word for that, as the tools say of
 * themselves that they destroy nothing, and OpenCode allows all.
 */
const COMMANDS: Readonly<Record<RealName, readonly string[]>> = {
  claude: ['-p', PROMPT, '--output-format', 'stream-json', '--verbose', '--allowedTools', 'mcp__pawl__*'],
  codex: ['exec', '--json', PROMPT],
  gemini: ['-p', PROMPT, '--output-format', 'json', '--skip-trust', '--approval-mode', 'yolo'],
  opencode: ['run', '--format', 'json', PROMPT],
};

/** The search's own experiment waits for the gate, so that the agent is in time for the next one. */
const TRAINER = `WHO=nobody
${FAST_TRAINER.replace(
  /^value=.*$/m,
  line => `${line}
if [ $WHO = agent ]; then sleep $TAKES; value=1000000
elif [ "$value" != ${BASELINE_VALUE} ]; then until [ -e "$GATE" ]; do sleep 0.1; done; fi`,
)}`;

const IDEA = { old: 'WHO=nobody', new: 'WHO=agent', hypothesis: 'WHO becomes agent' };

const figures: string[] = [];

describe.each(TRIED)('%s', agent => {
  const timeout = TRAINING_SECONDS * 1_000 + 120_000;
  test('it lists the studies, proposes, waits for the training and writes a note', { timeout }, async () => {
    const base = await lastingFolder();
    const [home, data, gate] = [join(base, 'home'), join(base, 'data'), join(base, 'gate')];
    for (const folder of [home, data]) await mkdir(folder);
    const contract = { limitSeconds: TRAINING_SECONDS + 60, more: 'environment = ["GATE", "TAKES"]' };
    const repository = await createRepository(
      { 'train.sh': TRAINER, 'prepare.sh': 'echo fixed\n', 'pawl.toml': contractFile(contract) },
      join(base, 'repository'),
    );
    const server = await REAL_PROGRAMS[agent].serve(workingWithPawl('train.sh', IDEA));
    onTestFinished(server.close);
    const { files, environment } = REAL_PROGRAMS[agent].setUp(server.url, false);
    await writeFiles(home, files);
    const installed = await pawl(['mcp', '--install', agent, '--write'], { home: data, env: { HOME: home } });
    expect(installed).toMatchObject({ code: 0, stderr: '' });

    const night = new RunningPawl(['run', repository, '--tag', TAG, '-n', '2', '--seed', '1'], {
      home: data,
      env: { GATE: gate, TAKES: String(TRAINING_SECONDS), PAWL_SANDBOX: 'off' },
    });
    await night.waitFor(event => event.type === 'verdict');
    const startedAt = performance.now();
    const child = spawn(join(installedIn(agent), '.bin', agent), COMMANDS[agent], {
      cwd: repository,
      env: { PATH: process.env.PATH, HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const ended = endOf(child);
    const isProposed = () => query(data, 'SELECT 1 FROM idea').length > 0;
    while (child.exitCode === null && child.signalCode === null && !isProposed()) await delay(100);
    await writeFile(gate, '');
    const { code, stdout, stderr } = await ended;
    const seconds = (performance.now() - startedAt) / 1_000;

    const told = `${stderr}\n${stdout}`;
    expect(code, told).toBe(0);
    expect(await night.ended, told).toMatchObject({ code: 0 });
    const tried = query(data, 'SELECT n, hypothesis, verdict FROM experiment WHERE n > 1');
    expect(tried, told).toEqual([{ n: 2, hypothesis: IDEA.hypothesis, verdict: 'keep' }]);
    const notes = query<{ n: number; text: string }>(
      data,
      'SELECT n, text FROM note JOIN experiment ON experiment.id = experiment_id',
    );
    expect(notes, told).toEqual([{ n: 2, text: expect.stringMatching(/^It was me, after \d+ waits\.$/) }]);
    const waits = /\d+/.exec(notes[0]?.text ?? '')?.[0];
    figures.push([agent, TRAINING_SECONDS, seconds.toFixed(1), waits, server.count()].join(' | '));
  });
});

afterAll(() => {
  if (figures.length === 0) return;
  const head = 'agent | seconds of training | seconds | waits | requests to the model';
  console.log([head, ...figures].map(line => `| ${line} |`).join('\n'));
});
