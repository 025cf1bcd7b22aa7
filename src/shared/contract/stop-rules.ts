import { z } from 'zod';

const positive = z.number().positive();
const count = z.number().int().nonnegative();

/** `[stop]` of pawl.toml. Each rule is optional; a study without any runs until its user stops it. */
export const stopRulesSchema = z.strictObject({
  /** Experiments after the baseline. */
  experiments: count.optional(),
  /** Wall-clock hours of this sitting, counted from its start. */
  hours: positive.optional(),
  /** ISO 8601 instant after which no experiment starts. */
  deadline: z.iso.datetime({ offset: true }).optional(),
  /** The study ends when the incumbent's metric is at least this good. */
  target: z
    .number()
    // A file cannot tell -0 from 0.
    .transform(value => value + 0)
    .optional(),
  /** Experiments in a row without a keep. */
  patience: count.min(1).optional(),
  /** Crashes in a row. */
  crashes: count.min(1).optional(),
});

export type StopRules = z.infer<typeof stopRulesSchema>;
