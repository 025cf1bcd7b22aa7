import type { Tool } from '@anthropic-ai/sdk/resources/messages';
import { z } from 'zod';
import { editsSchema, ideaWordsSchema } from '../../../shared/proposers/ideas.ts';
import type { Experiment } from '../../../shared/study.ts';
import { MAX_IDEAS } from '../answer.ts';
import type { StudyReader } from '../briefing/study-reader.ts';
import { tuningSchema } from '../briefing/tunings.ts';
import { asData, signed } from '../briefing/words.ts';

/** How much one answer of a tool may contain. */
const ANSWER_CHARACTERS = 24_000;
const FILE_LINES = 800;
/** No experiment has a larger number. */
const number = z.number().int().min(0).max(10_000_000);

export const submissionSchema = z.strictObject({
  hypothesis: z.string().trim().min(1).max(300),
  rationale: z.string().trim().min(1).max(8_000),
  category: z.string().trim().min(1).max(40),
  /** Change of the metric; negative is a lower value. */
  predicted_effect: z.number(),
  /** If something similar was tried before: how this differs. */
  differs: z.string().trim().max(2_000).optional(),
  /** The answer to the user's new notes. */
  answer: z.string().trim().max(2_000).optional(),
  /** The number of the waiting idea that this carries out. */
  idea: z.number().int().optional(),
  /** Other ideas that are worth trying later. */
  ideas: z.array(ideaWordsSchema).max(MAX_IDEAS).optional(),
  edits: editsSchema,
});
export type Submission = z.infer<typeof submissionSchema>;

/** Tools that only look: none of them runs, writes or fetches anything. */
const looks = {
  list_files: z.strictObject({}),
  read_file: z.strictObject({ path: z.string().max(1_000), from_line: z.number().int().min(1).optional() }),
  search_experiments: z.strictObject({ words: z.string().min(1).max(400) }),
  look_at_experiment: z.strictObject({
    experiment: number,
    part: z.enum(['summary', 'diff', 'log', 'series', 'notes']),
  }),
  compare_experiments: z.strictObject({ first: number, second: number }),
} as const;
type LookName = keyof typeof looks;

const DESCRIPTIONS: Readonly<Record<LookName | 'submit_proposal' | 'tune_constants', string>> = {
  list_files: 'Paths of all files of the repository as they are now.',
  read_file: `Text of one file, ${FILE_LINES} lines at a time.`,
  search_experiments:
    'Experiments of this study whose hypothesis, rationale or notes have any of the words, best match first.',
  look_at_experiment:
    'One experiment: what it tried and came to, its diff, the end of its training output, its curves, or the notes of the user.',
  compare_experiments: 'The results of two experiments and the diff from the first to the second.',
  submit_proposal:
    'Hands in the one proposal and ends the conversation. Each edit replaces one exact, unique piece of a file (`old` by `new`) or gives the whole `content`. Edits that do not apply come back to be mended. `idea` names a waiting idea that it is; `ideas` are others worth trying later.',
  tune_constants:
    'In place of a proposal: hands constants with their ranges to the search, which tries values of them in the next experiments, one after the other, and learns from each verdict. A constant is called as its file calls it: `LR`, a field `Config.lr`, an option `--lr`, in JSON, TOML and YAML `optimizer.lr`. For numbers alone it is better at it than you are. You are asked again when it is done, and told what came of it.',
};

export const SUBMIT = 'submit_proposal';
export const TUNE = 'tune_constants';

export const TOOLS: readonly Tool[] = [
  ...Object.entries(looks),
  [SUBMIT, submissionSchema] as const,
  [TUNE, tuningSchema] as const,
].map(([name, schema]) => ({
  name,
  description: DESCRIPTIONS[name as keyof typeof DESCRIPTIONS],
  input_schema: toInputSchema(schema),
}));

function toInputSchema(schema: z.ZodType): Tool['input_schema'] {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { ...rest, type: 'object' };
}

export type Look = { readonly text: string; readonly isError: boolean };

/** Answers a look by the model. For a wrong name or input, the answer says what is right. */
export async function look(reader: StudyReader, commit: string, name: string, input: unknown): Promise<Look> {
  const wrong = (text: string): Look => ({ text, isError: true });
  if (!Object.hasOwn(looks, name)) return wrong(`There is no tool ${name}.`);
  const parsed = looks[name as LookName].safeParse(input);
  if (!parsed.success) return wrong(`The input is not valid: ${describeFault(parsed.error)}`);
  // A commit or log may have been removed; the model continues without it.
  const text = await answer(reader, commit, name as LookName, parsed.data as never).catch(
    error => new Error(String(error?.message ?? error)),
  );
  if (text instanceof Error) return wrong(`It cannot be read: ${text.message.slice(0, 300)}`);
  if (text === null) return wrong('There is nothing of that kind.');
  return { text: cut(text), isError: false };
}

type Inputs = { readonly [Name in LookName]: z.infer<(typeof looks)[Name]> };

async function answer<Name extends LookName>(
  reader: StudyReader,
  commit: string,
  name: Name,
  input: Inputs[Name],
): Promise<string | null> {
  switch (name) {
    case 'list_files':
      return (await reader.listFiles(commit)).join('\n');
    case 'read_file': {
      const { path, from_line: from = 1 } = input as Inputs['read_file'];
      const text = await reader.readFile(commit, path);
      return text === null ? null : asData(`file ${path}`, linesOf(text, from));
    }
    case 'search_experiments': {
      const found = reader.search((input as Inputs['search_experiments']).words);
      return found.map(describeExperiment).join('\n') || 'No experiment has any of these words.';
    }
    case 'look_at_experiment': {
      const { experiment: n, part } = input as Inputs['look_at_experiment'];
      return lookAt(reader, n, part);
    }
    default: {
      const { first, second } = input as Inputs['compare_experiments'];
      const both = [reader.experiment(first), reader.experiment(second)].flatMap(found => found ?? []);
      const diff = await reader.diff(second, first);
      if (both.length < 2 || diff === null) return null;
      return `${both.map(describeExperiment).join('\n')}\n${asData(`diff from ${first} to ${second}`, diff)}`;
    }
  }
}

async function lookAt(
  reader: StudyReader,
  n: number,
  part: Inputs['look_at_experiment']['part'],
): Promise<string | null> {
  const experiment = reader.experiment(n);
  if (!experiment) return null;
  switch (part) {
    case 'summary': {
      const run = reader.lastRun(n);
      const numbers = Object.entries(run?.summary ?? {}).map(([name, value]) => `${name}: ${value}`);
      const crash = run?.crash ? [`crash: ${run.crash.class}: ${run.crash.message}`, ...run.crash.tail] : [];
      return [
        describeExperiment(experiment),
        `rationale: ${experiment.proposal?.rationale ?? '(none)'}`,
        asData('what the training printed', [...numbers, ...crash].join('\n')),
      ].join('\n');
    }
    case 'diff': {
      const diff = await reader.diff(n);
      return diff === null ? null : asData(`diff of experiment ${n}`, diff);
    }
    case 'log': {
      const log = await reader.logTail(n);
      return log === null ? null : asData(`end of the output of experiment ${n}`, log);
    }
    case 'series':
      return asData(
        `curves of experiment ${n}, as seconds:value`,
        reader
          .series(n)
          .map(
            ({ name, points }) =>
              `${name}: ${points.map(([x, y]) => `${x.toFixed(1)}:${y ?? 'nan'}`).join(' ')}`,
          )
          .join('\n'),
      );
    default:
      return (
        reader
          .notes(n)
          .map(({ text }) => `- ${text}`)
          .join('\n') || 'The user wrote no notes.'
      );
  }
}

/** The experiment as one line. */
export function describeExperiment(experiment: Experiment): string {
  const { n, proposal, verdict, metric } = experiment;
  const { incumbentMetric, metric: measured } = verdict?.evidence ?? {};
  const delta =
    measured !== undefined && incumbentMetric !== undefined ? ` (${signed(measured - incumbentMetric)})` : '';
  const result = verdict ? `${verdict.word}, ${verdict.reason}` : 'not decided';
  return `#${n} ${result} ${metric ?? 'no number'}${delta}: ${proposal?.hypothesis ?? ''} [${proposal?.category ?? '-'}]`;
}

export function describeFault(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join('.') || 'input'}: ${issue?.message ?? 'wrong'}`;
}

function linesOf(text: string, from: number): string {
  const lines = text.split('\n');
  const shown = lines.slice(from - 1, from - 1 + FILE_LINES);
  const rest = lines.length - (from - 1) - shown.length;
  return (
    shown.join('\n') + (rest > 0 ? `\n(${rest} more lines; go on from line ${from + shown.length})` : '')
  );
}

function cut(text: string): string {
  if (text.length <= ANSWER_CHARACTERS) return text;
  // Keeps both ends: the end says more about a log, the beginning about anything else.
  const half = ANSWER_CHARACTERS / 2;
  const [first, last] = [text.slice(0, half), text.slice(-half)].map(part => part.toWellFormed());
  return `${first}\n(${text.length - 2 * half} characters left out)\n${last}`;
}
