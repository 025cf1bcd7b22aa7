import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dataPaths } from '../../../src/engine/paths.ts';
import { decide } from '../../../src/engine/proposers/agent/ask-acp.ts';
import { Engine } from '../../../src/engine/session/engine.ts';
import { readUserSettings } from '../../../src/engine/user-settings.ts';
import type { EngineEvent } from '../../../src/shared/events.ts';
import { pawl } from '../../support/pawl.ts';
import { fastRepository, temporaryFolder } from '../../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../../support/study.ts';

const AGENT = fileURLToPath(new URL('../../support/acp-agent.ts', import.meta.url));

/** A study with an agent of the user's own settings. */
async function night(act: string, timeoutSeconds = 30) {
  const own = await prepareNight();
  await mkdir(own.home, { recursive: true });
  const acp = JSON.stringify([process.execPath, AGENT, act]);
  await writeFile(join(own.home, 'settings.toml'), `[agents.mine]\nacp = ${acp}\n`);
  const environment = { ...process.env, PAWL_HOME: own.home, PAWL_SANDBOX: 'off' };
  const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
  engine.agreeToUncontained();
  const study = await engine.createStudy({
    ...{ repositoryPath: own.repository, tag: TAG, stop: { experiments: 1 } },
    proposer: { kind: 'agent', agent: 'mine', model: null, timeoutSeconds },
  });
  const events: EngineEvent[] = [];
  const run = async () => {
    const end = await engine.run(study.id, {}, event => {
      events.push(event);
      if (event.type === 'study_paused') engine.request('stop_now');
    });
    if (end.error) throw end.error;
    return end.reason;
  };
  const calls = () => engine.ledger.modelCalls.list(study.id, 1);
  return { ...own, engine, run, events, calls, [Symbol.asyncDispose]: async () => engine.close() };
}

test('an agent that speaks the protocol edits what it may, is refused the rest, and its last words are the proposal', async () => {
  await using own = await night('edit');
  expect(await own.run()).toBe('experiments');
  const { proposal } = own.engine.ledger.experiments.get(rowsOf(own.home).studyId, 1) ?? {};
  expect(proposal).toMatchObject({
    hypothesis: 'LR becomes 8',
    predictedEffect: -0.06,
    rationale: 'It is low.',
  });
  expect(rowsOf(own.home).experiments[1]?.verdict).toBe('keep');
  // What it counts is not known for an agent that nobody tried: no tokens, and no sum of what is none.
  expect(own.calls()).toMatchObject([
    { outcome: 'ok', tokens: { input: null, output: null }, costUsd: 0.02, model: 'mine' },
  ]);
  await checkNight(own);
});

test.each<readonly [string, string, string]>([
  ['no_sign_in', 'unauthorized', 'is not signed in: Authentication required'],
  ['wrong_key', 'unauthorized', 'API key not valid'],
  ['busy', 'overloaded', 'reached an overloaded server'],
  ['retries', 'unauthorized', 'retries after 401, 2 of 10'],
])('%s needs the user', async (act, outcome, words) => {
  await using own = await night(act);
  expect(await own.run()).toBe('user');
  expect(own.calls()[0]).toMatchObject({ outcome, message: expect.stringContaining(words) });
});

test('one that declines is asked again, and one that hangs is ended, though it outlives its stdin', async () => {
  await using declining = await night('declines');
  expect(await declining.run()).toBe('proposer');
  expect(declining.calls()[0]).toMatchObject({ outcome: 'refusal' });
  await using hanging = await night('hangs', 2);
  expect(await hanging.run()).toBe('proposer');
  expect(hanging.calls()[0]).toMatchObject({ outcome: 'timeout' });
});

test('a permission is given for an edit of what may be edited and a look inside, once, and for nothing else', async () => {
  const cwd = await temporaryFolder();
  const outside = await temporaryFolder();
  await writeFile(join(cwd, 'train.py'), '');
  await writeFile(join(cwd, 'prepare.py'), '');
  await symlink(outside, join(cwd, 'away'));
  const ask = async (kind: string, ...paths: string[]) => {
    const locations = paths.map(path => ({ path }));
    const answer = await decide(
      {
        toolCall: { toolCallId: '1', kind: kind as 'edit', locations },
        options: [
          { optionId: 'always', name: '', kind: 'allow_always' },
          { optionId: 'yes', name: '', kind: 'allow_once' },
          { optionId: 'no', name: '', kind: 'reject_once' },
        ],
      },
      cwd,
      path =>
        path === 'train.py' || path === 'linked.py' || path.startsWith('away/') || path === 'new/deep.py',
    );
    return answer.outcome.outcome === 'selected' ? answer.outcome.optionId : 'cancelled';
  };
  expect(await ask('edit', join(cwd, 'train.py'))).toBe('yes');
  expect(await ask('edit', 'train.py')).toBe('yes');
  expect(await ask('edit', 'new/deep.py')).toBe('yes');
  expect(await ask('read', 'prepare.py')).toBe('yes');
  expect(await ask('edit', 'train.py', 'prepare.py')).toBe('no');
  expect(await ask('edit')).toBe('no');
  expect(await ask('edit', 'away/x.py')).toBe('no');
  // A link that leads to what is not there yet.
  await symlink(join(outside, 'x.py'), join(cwd, 'linked.py'));
  expect(await ask('edit', 'linked.py')).toBe('no');
  expect(await ask('edit', 'away/missing/x.py')).toBe('no');
  expect(await ask('read', '/etc/hostname')).toBe('no');
  expect(await ask('read', cwd)).toBe('yes');
  expect(await ask('edit', cwd)).toBe('no');
  expect(await ask('execute', 'train.py')).toBe('no');
  expect(await ask('fetch')).toBe('no');
  const only = {
    toolCall: { toolCallId: '1' },
    options: [{ optionId: 'a', name: '', kind: 'allow_once' as const }],
  };
  expect(await decide(only, cwd, () => true)).toEqual({ outcome: { outcome: 'cancelled' } });
});

test('an agent of the user’s settings file, which says what is wrong with it', async () => {
  const home = await temporaryFolder();
  expect(await readUserSettings(home)).toMatchObject({ agents: {}, hooks: {} });
  const settings = async (text: string) => {
    await writeFile(join(home, 'settings.toml'), text);
    return readUserSettings(home);
  };
  expect(await settings('[agents.mine]\nacp = ["my-agent", "acp"]\n')).toMatchObject({
    agents: { mine: { acp: ['my-agent', 'acp'], reads: [] } },
  });
  await expect(settings('[agents.mine]\nacp = "my-agent acp"\n')).rejects.toThrow(
    /settings\.toml: agents\.mine\.acp/,
  );
  await expect(settings('[agents.mine]\nacp = []\n')).rejects.toThrow(/agents\.mine\.acp/);
  await expect(settings('acp = ["x"]\n')).rejects.toThrow(/acp/);
  await expect(settings('[cluster]\nengine = "slurm"\n')).rejects.toThrow(/cluster\.folder: is required/);
  await expect(settings('[agents\n')).rejects.toThrow(/line 1/);
  await settings('');
  const { code, stderr } = await pawl(['run', await fastRepository(), '--agent', 'none-such', '-n', '0'], {
    home,
  });
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no agent "none-such"'),
  });
});
