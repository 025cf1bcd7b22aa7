import { z } from 'zod';
import { channelSchema, tokenSchema } from '../channel.ts';
import { contractFileSchema } from '../contract/contract-schema.ts';
import { stopRulesSchema } from '../contract/stop-rules.ts';
import { LANE_WORD, LANE_WORDS_HINT, MOST_LANES } from '../machines/lanes.ts';
import { DEFAULT_STRATEGY, EFFORTS, SEARCH_STRATEGIES } from '../proposers/proposers.ts';
import { OTHER_LINES } from '../study.ts';

/** Parts of the calls' inputs. */

/** The window is not trusted: nothing it sends may be larger than this many characters. */
export const text = (limit: number) => z.string().max(limit);
export const path = text(4_096).min(1);
export const study = text(64).min(1);
export const n = z.number().int().nonnegative().max(10_000_000);
export const k = z.number().int().nonnegative().max(10_000);
export const gpuName = text(128).trim().min(1);
export const lanesSchema = z.array(text(140).regex(LANE_WORD, LANE_WORDS_HINT)).max(MOST_LANES);
/** When proposals start from another line than the branch. */
const otherLines = z.enum(OTHER_LINES).optional();
/** From now on, the user allows models' code to run without a sandbox on this machine. */
export const agreesUncontained = z.boolean().optional();
/** The digest of the set-up command that the user was shown and agrees to. */
export const agreesSetUp = text(64).optional();
export const inStudy = z.strictObject({ study });
export const inExperiment = z.strictObject({ study, n });
export const inRun = z.strictObject({ study, n, k });

export const baseUrl = z
  .url({ protocol: /^https?$/, error: 'Write an address that begins with http.' })
  .max(2_000)
  .nullable();
export const modelKey = z.enum(['environment', 'stored', 'none']);
const dollars = z.number().positive().max(1_000_000).nullable();

/** What a study may spend on models in US dollars, including questions of its trainings. */
const capUsd = z.number().positive().max(1_000_000).optional();

const armSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('search'),
    seed: z.number().int().nonnegative(),
    strategy: z.enum(SEARCH_STRATEGIES).default(DEFAULT_STRATEGY),
  }),
  z.strictObject({
    kind: z.literal('command'),
    command: text(4_000).trim().min(1, 'Write the command line of the proposer.'),
    timeoutSeconds: z.number().positive().max(86_400),
  }),
  z.strictObject({ kind: z.literal('patches'), folder: path }),
  z.strictObject({
    kind: z.literal('agent'),
    agent: text(40).trim().min(1, 'Choose an agent.'),
    model: text(200).trim().min(1).nullable(),
    timeoutSeconds: z.number().positive().max(86_400),
  }),
  z.strictObject({
    kind: z.literal('model'),
    model: text(200).trim().min(1, 'Choose a model.'),
    effort: z.enum(EFFORTS).nullable(),
    baseUrl,
    key: modelKey,
    capUsd: z.strictObject({ study: dollars, sitting: dollars }),
  }),
]);

export const proposerSettingsSchema = z.discriminatedUnion('kind', [
  ...armSchema.options,
  z.strictObject({
    kind: z.literal('route'),
    mode: z.enum(['fallback', 'alternate', 'stand_in']),
    arms: z.array(armSchema).min(2, 'Name at least two proposers.').max(8),
  }),
]);

export const settingsPatchSchema = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']).optional(),
  order: z.enum(['newest', 'oldest']).optional(),
  diff: z.enum(['unified', 'split']).optional(),
  notify: z
    .strictObject({
      new_best: z.boolean(),
      study_ended: z.boolean(),
      crashes: z.boolean(),
      attention: z.boolean(),
    })
    .partial()
    .optional(),
  electricity: z
    .strictObject({
      price: z.number().nonnegative().max(1_000_000).nullable(),
      currency: text(8).trim().min(1),
    })
    .partial()
    .optional(),
});

/** What a study begins with and a further sitting may change. */
export const sittingSettings = {
  proposer: proposerSettingsSchema.optional(),
  stop: stopRulesSchema.optional(),
  /** The GPU that is to train: its number or UUID, or the UUID of a MIG instance; null leaves it to the machine. */
  gpu: gpuName.nullable().optional(),
  /** Where runs are trained. */
  lanes: lanesSchema.optional(),
  otherLines,
  capUsd,
  agreesUncontained,
};

export const newStudySchema = z.strictObject({
  path,
  tag: text(64).optional(),
  ...sittingSettings,
  proposer: proposerSettingsSchema,
  stop: stopRulesSchema,
  /** Approve mode from the start. */
  asksApproval: z.boolean().optional(),
  agreesSetUp,
  /** The contract from the form; without it, the last commit's. */
  contract: contractFileSchema.optional(),
});
export type NewStudyForm = z.input<typeof newStudySchema>;

/** Without `token` the stored one is kept; null removes it. */
export const channelInput = z.strictObject({ form: channelSchema, token: tokenSchema.nullish() });

/** A chart is never wider than this many points. */
export const MAX_WIDTH = 4_096;
