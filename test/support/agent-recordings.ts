import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallOutcome } from '../../src/shared/proposers/model-calls.ts';

/** The programs that the tests run for real. */
export const REAL_NAMES = ['claude', 'codex', 'gemini', 'opencode'] as const;
export type RealName = (typeof REAL_NAMES)[number];
/** Programs that were run for real by hand, for a few cases each. */
const TRIED_NAMES = ['copilot', 'qwen', 'pi', 'cline'] as const;
type RecordedName = RealName | (typeof TRIED_NAMES)[number];

/** What a real program did, without machine and time; `npm run test:agents` with `PAWL_WRITE_DOCS=1` records it. */
export type AgentRecording = {
  readonly agent: RecordedName;
  readonly failure: string;
  readonly version: string;
  /** The expectation before the first real run; null if it was not written down. */
  readonly guess: { readonly outcome: CallOutcome; readonly exitCode: number | null } | null;
  /** The time after which it was ended. */
  readonly limitSeconds: number;
  readonly stdout: string;
  /** Its last characters. */
  readonly stderr: string;
  /** Null if it was ended after the limit, or by a signal. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** How often it called a model; null if there was no server. */
  readonly requests: number | null;
  /** Whether it was still trying at the limit. */
  readonly isStillTrying: boolean;
  /** Names of its processes that were left when the main process had ended, or had not ended within 5 s. */
  readonly left: readonly string[];
};

const FOLDER = fileURLToPath(new URL('../fixtures/agents', import.meta.url));

/** Everything about a recording except the program's output. */
type Facts = Omit<AgentRecording, 'agent' | 'stdout'>;

/** Each recording has a file for its output; all other facts are in one file for each program, one line each. */
const outputPath = (agent: RecordedName, failure: string) => join(FOLDER, agent, `${failure}.jsonl`);
const factsPath = (agent: RecordedName) => join(FOLDER, `${agent}.jsonl`);

async function readFacts(agent: RecordedName): Promise<readonly Facts[]> {
  const lines = (await readFile(factsPath(agent), 'utf8')).trimEnd().split('\n');
  return lines.map(line => JSON.parse(line) as Facts);
}

/** One program's recordings, by name. */
async function recordingsOf(agent: RecordedName): Promise<readonly AgentRecording[]> {
  const facts = await readFacts(agent);
  return Promise.all(
    facts.map(async known => {
      const stdout = await readFile(outputPath(agent, known.failure), 'utf8');
      return { ...known, agent, stdout };
    }),
  );
}

export async function readRecording(agent: RecordedName, failure: string): Promise<AgentRecording> {
  const recording = (await recordingsOf(agent)).find(known => known.failure === failure);
  if (!recording) throw new Error(`there is no recording of ${agent}, ${failure}`);
  return recording;
}

export async function readRecordings(): Promise<readonly AgentRecording[]> {
  return (await Promise.all([...REAL_NAMES, ...TRIED_NAMES].map(recordingsOf))).flat();
}

/** Replaces an earlier one, if any. */
export async function writeRecording({ agent, stdout, ...facts }: AgentRecording): Promise<void> {
  await mkdir(join(FOLDER, agent), { recursive: true });
  await writeFile(outputPath(agent, facts.failure), stdout);
  const others = (await readFacts(agent).catch(() => [])).filter(({ failure }) => failure !== facts.failure);
  const all = [...others, facts].sort((one, other) => (one.failure < other.failure ? -1 : 1));
  await writeFile(factsPath(agent), all.map(known => `${JSON.stringify(known)}\n`).join(''));
}
