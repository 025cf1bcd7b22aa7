import { mkdir, readFile, writeFile } from 'node:fs/promises';
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

/** What is known of a recording besides what the program printed. */
type Facts = Omit<AgentRecording, 'agent' | 'stdout'>;

/** What a program printed has a file for each recording; all else that is known has one for each program, a line each. */
const outputPath = (agent: RecordedName, failure: string) => join(FOLDER, agent, `${failure}.jsonl`);
const factsPath = (agent: RecordedName) => join(FOLDER, `${agent}.jsonl`);

async function readFacts(agent: RecordedName): Promise<readonly Facts[]> {
  const lines = (await readFile(factsPath(agent), 'utf8')).trimEnd().split('\n');
  return lines.map(line => JSON.parse(line) as Facts);
}

/** Of one program, by their names. */
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

/** In the place of an earlier one, where there is one. */
export async function writeRecording({ agent, stdout, ...facts }: AgentRecording): Promise<void> {
  await mkdir(join(FOLDER, agent), { recursive: true });
  await writeFile(outputPath(agent, facts.failure), stdout);
  const others = (await readFacts(agent).catch(() => [])).filter(({ failure }) => failure !== facts.failure);
  const all = [...others, facts].sort((one, other) => (one.failure < other.failure ? -1 : 1));
  await writeFile(factsPath(agent), all.map(known => `${JSON.stringify(known)}\n`).join(''));
}
