import { open } from 'node:fs/promises';
import { z } from 'zod';

/** No honest wrapper writes more; paths of locked files and artifacts take the most. */
const MAX_OUTCOME_BYTES = 4 * 1024 * 1024;
const MAX_PATHS = 100_000;

const amount = z.number().nonnegative().finite();
const path = z.string().max(4_096);
const end = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exit'), code: z.number().int().min(0).max(255) }),
  z.object({ kind: z.literal('signal'), signal: z.number().int().min(1).max(64) }),
  z.object({ kind: z.enum(['timeout', 'flooded']) }),
  /** Pawl asked for it; somebody else sent SIGTERM; the scheduler warned of the limit; it was started again. */
  z.object({ kind: z.enum(['cancelled', 'terminated', 'time_limit', 'requeued']) }),
  z.object({
    kind: z.literal('limited'),
    limit: z.enum(['memory', 'processes', 'disk']),
    message: z.string().max(2_000),
  }),
  /** Something else has filled the disk. */
  z.object({ kind: z.literal('disk_taken') }),
  z.object({ kind: z.literal('not_started'), why: z.string().max(40), message: z.string().max(2_000) }),
]);
const command = z.object({ end, seconds: amount, output_bytes: amount });
const gpu = z.object({ name: z.string().max(200), uuid: z.string().max(200) });

const state = z.object({
  version: z.literal(1),
  marker: z.string().max(200),
  /** Number of the scheduler's job. */
  job: z.string().max(300),
  node: z.string().max(300),
  contained: z.boolean(),
  gpus: z.array(gpu).max(64),
  /** Model of its processors; absent in jobs of earlier versions. */
  processor: z.string().max(200).nullable().optional(),
  /** The GPU or core that another run has; absent once it has all it needs. */
  waits_for: z.string().max(200).optional(),
  /** Whether its set-up command runs and its training has not begun. */
  setting_up: z.boolean().optional(),
});

/**
 * The file that the wrapper leaves when the run is over; see `resources/remote/pawl_run.py`. A model's code ran
 * beside it.
 */
const outcomeSchema = state.extend({
  end,
  seconds: amount,
  cpu_seconds: amount.nullable(),
  peak_rss_bytes: amount.nullable(),
  output_bytes: amount,
  out_of_memory: z.boolean(),
  survivors: z.array(z.number().int().positive()).max(1_000),
  metric: command.nullable(),
  /** Absent in jobs of earlier versions. */
  checks: z.array(command).max(1_000).default([]),
  gpu: z
    .object({
      samples: amount,
      utilization_percent: amount.nullable(),
      memory_mib: amount.nullable(),
      power_watts: amount.nullable(),
    })
    .nullable(),
  touched: z.array(path).max(MAX_PATHS),
  /** Both absent if nothing was observed. */
  written: z.array(path).max(MAX_PATHS).optional(),
  written_folders: z.array(path).max(MAX_PATHS).optional(),
  artifacts: z.array(z.object({ path, bytes: amount })).max(MAX_PATHS),
  left_out: z.array(path).max(MAX_PATHS),
});

export type RemoteState = z.infer<typeof state>;
export type RemoteOutcome = z.infer<typeof outcomeSchema>;

export type Read<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'missing' }
  /** The file exists, but its content cannot be trusted. */
  | { readonly kind: 'invalid'; readonly message: string };

/** @param marker the run that it must be about */
export function readOutcome(file: string, marker: string): Promise<Read<RemoteOutcome>> {
  return readChecked(file, outcomeSchema, marker);
}

/** The file that the wrapper leaves when the set-up or the training begins. */
export function readState(file: string, marker: string): Promise<Read<RemoteState>> {
  return readChecked(file, state, marker);
}

async function readChecked<T extends RemoteState>(
  file: string,
  schema: z.ZodType<T>,
  marker: string,
): Promise<Read<T>> {
  const text = await readBounded(file);
  if (text === null) return { kind: 'missing' };
  const invalid = (message: string): Read<T> => ({ kind: 'invalid', message: `${file}: ${message}` });
  if (text === 'too long') return invalid(`it has more than ${MAX_OUTCOME_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return invalid((error as Error).message);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  return parsed.data.marker === marker
    ? { kind: 'read', value: parsed.data }
    : invalid('it is about another run');
}

/**
 * Opened anew each time, which makes a network file system look the file up again. A file that cannot be read counts
 * as not there yet.
 */
async function readBounded(file: string): Promise<string | null> {
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return null;
  try {
    if ((await handle.stat()).size > MAX_OUTCOME_BYTES) return 'too long';
    return await handle.readFile('utf8');
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}
