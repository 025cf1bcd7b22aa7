import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallOutcome } from '../../src/shared/model-calls.ts';

/** The programs that are run for real. */
export const REAL_NAMES = ['claude', 'codex', 'gemini', 'opencode'] as const;
export type RealName = (typeof REAL_NAMES)[number];
/** Programs that were run for real by hand, a few cases each. */
const TRIED_NAMES = ['copilot', 'qwen', 'pi', 'cline'] as const;
type RecordedName = RealName | (typeof TRIED_NAMES)[number];

/** What a real program did, machine and time taken out; `npm run test:agents` with `PAWL_WRITE_DOCS=1` records. */
export type AgentRecording = {
  readonly agent: RecordedName;
  readonly failure: string;
  readonly version: string;
  /** What was thought before it was run for the first time; null where that was not written down. */
  readonly guess: { readonly outcome: CallOutcome; readonly exitCode: number | null } | null;
  /** It was ended after this. */
  readonly limitSeconds: number;
  readonly stdout: string;
  /** Its last characters. */
  readonly stderr: string;
  /** Null where it was ended after the limit, or by a signal. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** How often it asked a model; null where there was no server. */
  readonly requests: number | null;
  /** Whether it still tried after the limit. */
  readonly isStillTrying: boolean;
  /** Names of its processes that were left when the one that was started had ended, or had not within 5 s. */
  readonly left: readonly string[];
};

const FOLDER = fileURLToPath(new URL('../fixtures/agents', import.meta.url));

/** Where a recording is kept: its lines in `.jsonl`, and what else is known in `.json`. */
export function recordingPath(agent: RecordedName, failure: string): string {
  return join(FOLDER, agent, failure);
}

export async function readRecording(agent: RecordedName, failure: string): Promise<AgentRecording> {
  const path = recordingPath(agent, failure);
  const facts = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Omit<AgentRecording, 'stdout'>;
  return { ...facts, agent, failure, stdout: await readFile(`${path}.jsonl`, 'utf8') };
}

export async function readRecordings(): Promise<readonly AgentRecording[]> {
  const all = await Promise.all(
    [...REAL_NAMES, ...TRIED_NAMES].map(async agent => {
      const names = (await readdir(join(FOLDER, agent))).filter(name => name.endsWith('.json')).sort();
      return Promise.all(names.map(name => readRecording(agent, name.slice(0, -'.json'.length))));
    }),
  );
  return all.flat();
}
