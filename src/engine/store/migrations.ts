import { studiesAndExperiments } from './migrations/010-studies-and-experiments.ts';
import { marksTagsAndSettings } from './migrations/020-marks-tags-and-settings.ts';
import { modelAndProposerCalls } from './migrations/030-model-and-proposer-calls.ts';
import { reviews } from './migrations/040-reviews.ts';
import { containedRuns } from './migrations/050-contained-runs.ts';
import { fairness } from './migrations/060-fairness.ts';
import { gpuEnergy } from './migrations/070-gpu-energy.ts';
import { outputs } from './migrations/080-outputs.ts';
import { lateNumbers } from './migrations/090-late-numbers.ts';
import { searchByWord } from './migrations/100-search-by-word.ts';
import { modelAnswers } from './migrations/110-model-answers.ts';
import { ideas } from './migrations/120-ideas.ts';
import { memories } from './migrations/130-memories.ts';
import { seriesNames } from './migrations/140-series-names.ts';
import { repeats } from './migrations/150-repeats.ts';
import { writtenFolders } from './migrations/160-written-folders.ts';
import { messages } from './migrations/170-messages.ts';
import { summaries } from './migrations/180-summaries.ts';
import { titlesAndArchive } from './migrations/190-titles-and-archive.ts';
import { experimentsByCommit } from './migrations/200-experiments-by-commit.ts';
import { lanes } from './migrations/210-lanes.ts';
import { otherLines } from './migrations/220-other-lines.ts';
import { jobsElsewhere } from './migrations/230-jobs-elsewhere.ts';
import { removedSince } from './migrations/240-removed-since.ts';
import { endedJobs } from './migrations/250-ended-jobs.ts';
import { hostsOfMarks } from './migrations/260-hosts-of-marks.ts';
import { whyExperimentsWait } from './migrations/270-why-experiments-wait.ts';

/** A numbered change of the schema. Numbers go up in tens, so that a fix can be inserted between two releases. */
export type Migration = { readonly version: number; readonly sql: string };

export const MIGRATIONS: readonly Migration[] = [
  { version: 10, sql: studiesAndExperiments },
  { version: 20, sql: marksTagsAndSettings },
  { version: 30, sql: modelAndProposerCalls },
  { version: 40, sql: reviews },
  { version: 50, sql: containedRuns },
  { version: 60, sql: fairness },
  { version: 70, sql: gpuEnergy },
  { version: 80, sql: outputs },
  { version: 90, sql: lateNumbers },
  { version: 100, sql: searchByWord },
  { version: 110, sql: modelAnswers },
  { version: 120, sql: ideas },
  { version: 130, sql: memories },
  { version: 140, sql: seriesNames },
  { version: 150, sql: repeats },
  { version: 160, sql: writtenFolders },
  { version: 170, sql: messages },
  { version: 180, sql: summaries },
  { version: 190, sql: titlesAndArchive },
  { version: 200, sql: experimentsByCommit },
  { version: 210, sql: lanes },
  { version: 220, sql: otherLines },
  { version: 230, sql: jobsElsewhere },
  { version: 240, sql: removedSince },
  { version: 250, sql: endedJobs },
  { version: 260, sql: hostsOfMarks },
  { version: 270, sql: whyExperimentsWait },
];
