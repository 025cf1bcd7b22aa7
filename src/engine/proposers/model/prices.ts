import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import bundled from '../../../../resources/model-prices.json' with { type: 'json' };
import { PawlError } from '../../../shared/errors.ts';
import type { CallTokens } from '../../../shared/proposers/model-calls.ts';

/** The user's own table in the data folder; its entries override the bundled ones. */
export const OWN_PRICES = 'model-prices.json';

/** A name with a date after it is the same model at the same price. */
const DATED = /-\d{8}$/;

const rates = z.strictObject({
  input: z.number().nonnegative(),
  cacheWrite: z.number().nonnegative(),
  cacheRead: z.number().nonnegative(),
  output: z.number().nonnegative(),
});
const price = rates.extend({
  /** Different rates for a call with a larger prompt than this. */
  above: rates.extend({ tokens: z.number().positive() }).optional(),
});
const table = z.object({ models: z.record(z.string(), price) });

/** US dollars per million tokens. */
export type Price = z.infer<typeof price>;

/** Returns the price of a model, or null if no table has it. */
export type Prices = (model: string) => Price | null;

/** Rejects with `proposer_invalid` if the user's own table is broken. */
export async function readPrices(home: string): Promise<Prices> {
  const all = { ...table.parse(bundled).models, ...(await readTable(join(home, OWN_PRICES))) };
  return model => all[model] ?? all[model.replace(DATED, '')] ?? null;
}

/** A single price from {@link readPrices}. */
export async function readPrice(home: string, model: string): Promise<Price | null> {
  return (await readPrices(home))(model);
}

async function readTable(path: string): Promise<Record<string, Price>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return table.parse(JSON.parse(text)).models;
  } catch (cause) {
    throw new PawlError(
      'proposer_invalid',
      `${path} is not a valid price table; compare it with Pawl's own.`,
      {
        cause,
      },
    );
  }
}

/** US dollars; null if there is no price, or a number is missing. */
export function costOf(price: Price | null, tokens: CallTokens): number | null {
  const { input, cacheRead, cacheWrite, output } = tokens;
  if (!price || input === null || output === null) return null;
  const prompt = input + (cacheRead ?? 0) + (cacheWrite ?? 0);
  const { above } = price;
  const rate = above && prompt > above.tokens ? above : price;
  return (
    (input * rate.input +
      (cacheRead ?? 0) * rate.cacheRead +
      (cacheWrite ?? 0) * rate.cacheWrite +
      output * rate.output) /
    1e6
  );
}

/** A token of source code or English has three bytes or more; assuming fewer keeps the limit safe. */
const LEAST_BYTES_PER_TOKEN = 2;

/** The highest cost of a call, assuming that its whole prompt is written to the cache. */
export function mostOf(price: Price | null, promptBytes: number, maxTokens: number): number | null {
  const cacheWrite = Math.ceil(promptBytes / LEAST_BYTES_PER_TOKEN);
  return costOf(price, { input: 0, cacheRead: 0, cacheWrite, output: maxTokens });
}
