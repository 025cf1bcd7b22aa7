import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { requireProgram } from '../../src/engine/proposers/agent/programs.ts';
import type { AgentRecording, RealName } from '../support/agent-recordings.ts';
import { killIfThere } from '../support/processes.ts';
import { writeFiles } from '../support/scaffold.ts';
import type { Failure } from './failures.ts';
import { installedIn, lastingFolder } from './place.ts';
import { REAL_PROGRAMS } from './programs.ts';

type Recording = Pick<
  AgentRecording,
  'stdout' | 'stderr' | 'exitCode' | 'signal' | 'seconds' | 'requests' | 'isStillTrying' | 'left'
>;

/** The words of Pawl's prompt that matter here. */
const PROMPT = `You are in a copy of the repository. Edit the files in place; you can write only these: train.sh. You cannot run anything, and no file can be removed.

Then end with one line of JSON and nothing after it: {"hypothesis": "one line", "rationale": "why it should work", "predicted_effect": -0.01, "category": "one word"}`;

const END_MS = 5_000;
const LEAVE_MS = 2_000;
const STDERR_CHARACTERS = 4_000;

/** Runs the program as Pawl does outside of a sandbox, but without Pawl, in a fresh home. */
export async function record(agent: RealName, failure: Failure, limitSeconds: number): Promise<Recording> {
  const base = await lastingFolder();
  const [home, work, own] = [join(base, 'home'), join(base, 'work'), join(base, 'own')];
  for (const folder of [home, work, own]) await mkdir(folder);
  const { adapter, server, url } = await prepare(agent, failure);
  const real = REAL_PROGRAMS[agent];
  const setUp = failure.isSignedOut ? real.signedOut(url) : real.setUp(url, false);
  await writeFiles(home, setUp.files);
  await writeFiles(own, adapter.files);
  await writeFiles(work, { 'train.sh': 'LR=2\necho "val_bpb: $LR"\n', 'prepare.sh': 'echo fixed\n' });
  await chmod(join(work, 'prepare.sh'), 0o444);
  const mark = base;
  const began = performance.now();
  const asked = { model: null, own, isContained: false, prompt: '', environment: setUp.environment };
  const child = spawn(adapter.program, adapter.how.argv(asked), {
    cwd: work,
    detached: true,
    env: {
      ...{
        PATH: `${join(installedIn(agent), '.bin')}:${process.env.PATH}`,
        HOME: home,
        PWD: work,
        PAWL_RECORDED: mark,
      },
      ...{ ...setUp.environment, ...failure.environment, ...adapter.environment(asked) },
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(PROMPT);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const giveUp = new AbortController();
  const timeUp = delay(limitSeconds * 1000, 'time is up' as const, { signal: giveUp.signal });
  timeUp.catch(() => {});
  if (failure.ending) {
    await Promise.race([server?.untilAsked(), exited, timeUp]);
    if (failure.isForAll) process.kill(-(child.pid ?? 0), failure.ending);
    else child.kill(failure.ending);
    await Promise.race([exited, delay(END_MS, undefined, { ref: false })]);
  } else await Promise.race([exited, timeUp]);
  giveUp.abort();
  const isStillTrying = child.exitCode === null && child.signalCode === null;
  const seconds = (performance.now() - began) / 1000;
  const left = isStillTrying ? processesOf(mark) : await leftOf(mark);
  for (const { pid } of left) killIfThere(pid);
  if (isStillTrying) await exited;
  const requests = server?.count() ?? null;
  await server?.close();
  const clean = (text: string) => withoutMachine(text, { base, url, agent });
  return {
    ...{
      stdout: stdout
        .split('\n')
        .map(line => shorten(clean(line)))
        .join('\n'),
      isStillTrying,
      requests,
    },
    stderr: clean(stderr).slice(-STDERR_CHARACTERS),
    exitCode: isStillTrying ? null : child.exitCode,
    signal: isStillTrying ? null : child.signalCode,
    seconds: Math.round(seconds * 10) / 10,
    left: left.filter(({ pid }) => !isStillTrying || pid !== child.pid).map(({ name }) => name),
  };
}

async function prepare(agent: RealName, { script }: Failure) {
  const adapter = requireProgram(agent, { agents: {} });
  const serve = REAL_PROGRAMS[agent].serve;
  if (script === 'no-name') return { adapter, server: null, url: 'http://model.invalid' };
  if (script !== 'no-server') {
    const server = await serve(script);
    return { adapter, server, url: server.url };
  }
  // A port that was free a moment ago.
  const { url, close } = await serve({ kind: 'silence' });
  await close();
  return { adapter, server: null, url };
}

/** Those of its processes that do not end by themselves, soon after the first of them has. */
async function leftOf(mark: string) {
  const until = performance.now() + LEAVE_MS;
  let left = processesOf(mark);
  while (left.length > 0 && performance.now() < until) {
    await delay(20);
    left = processesOf(mark);
  }
  return left;
}

function processesOf(mark: string): readonly { readonly pid: number; readonly name: string }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, 'utf8').includes(`PAWL_RECORDED=${mark}`)) return [];
        return [{ pid: Number(name), name: readFileSync(`/proc/${name}/comm`, 'utf8').trim() }];
      } catch {
        return [];
      }
    });
}

/** Folders, ports, ids and times, so that two recordings differ where the program does. */
function withoutMachine(
  text: string,
  { base, url, agent }: { readonly base: string; readonly url: string; readonly agent: RealName },
): string {
  return text
    .replaceAll(join(base, 'home'), '/home/user')
    .replaceAll(join(base, 'work'), '/home/user/repository')
    .replaceAll(join(base, 'own'), '/own')
    .replaceAll(base.slice(1).replaceAll('/', '-'), 'work')
    .replaceAll(base.slice(1), '')
    .replaceAll(installedIn(agent), '/opt/node_modules')
    .replaceAll(url, 'http://127.0.0.1:1')
    .replaceAll(url.replace('http', 'ws'), 'ws://127.0.0.1:1')
    .replaceAll(url.replace('http://', ''), '127.0.0.1:1')
    .replace(
      /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g,
      '00000000-0000-4000-8000-000000000000',
    )
    .replace(/\b(ses|msg|prt)_[0-9A-Za-z]{20,}/g, '$1_0')
    .replace(/\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d[.-]\d+Z/g, '2026-01-01T00:00:00.000Z')
    .replace(/"(timestamp|time|start|end|created|completed)":17\d{11}/g, '"$1":1767225600000')
    .replace(/_17\d{11}_/g, '_1767225600000_')
    .replace(/\/cc-socks\/\d+/g, '/cc-socks/1')
    .replace(/"date":"[^"]+GMT"/g, '"date":"Thu, 01 Jan 2026 00:00:00 GMT"')
    .replace(/\(Debian [^)]*\)/g, '(Linux)');
}

const LONGEST = 400;

/** Long texts inside of a line say nothing about how it is read. */
function shorten(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    return JSON.stringify(JSON.parse(line), (_, value: unknown) =>
      typeof value === 'string' && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value,
    );
  } catch {
    return line;
  }
}
