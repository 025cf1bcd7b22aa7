import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import table from '../resources/model-prices.json' with { type: 'json' };
import { readPrice } from '../src/engine/proposers/model/prices.ts';
import { describeRetirement, RETIREMENTS } from '../src/shared/proposers/model-retirements.ts';
import { pawl } from './support/pawl.ts';
import { fastRepository, temporaryFolder } from './support/scaffold.ts';

const MESSAGES = '../node_modules/@anthropic-ai/sdk/resources/messages/messages';

/** What the SDK keeps to itself or in its types alone. */
async function readSdk(): Promise<{ models: readonly string[]; deprecated: Record<string, string> }> {
  const [types, code] = await Promise.all(
    ['.d.ts', '.mjs'].map(end => readFile(new URL(MESSAGES + end, import.meta.url), 'utf8')),
  );
  const names = /export type Model = (.*);/.exec(types ?? '')?.[1] ?? '';
  const dates = /const DEPRECATED_MODELS = \{([^}]*)\}/.exec(code ?? '')?.[1] ?? '';
  return {
    models: [...names.matchAll(/'([^']+)'/g)].map(([, name = '']) => name),
    deprecated: Object.fromEntries(
      [...dates.matchAll(/'([^']+)': '([^']+)'/g)].map(([, name = '', date = '']) => [name, date]),
    ),
  };
}

test('every model that the SDK names has a price, or is listed with why it has none', async () => {
  const { models, deprecated } = await readSdk();
  expect(models.length).toBeGreaterThan(10);
  const home = await temporaryFolder();
  const missing: string[] = [];
  for (const model of models) {
    const isPriced = (await readPrice(home, model)) !== null;
    if (!isPriced && !(model in deprecated) && !(model in table.unpriced)) missing.push(model);
  }
  expect(missing).toEqual([]);
  for (const model of Object.keys(table.unpriced)) {
    expect(models).toContain(model);
    expect(await readPrice(home, model)).toBeNull();
  }
});

test('the models that will be retired are those of the SDK, with its dates', async () => {
  const { deprecated } = await readSdk();
  expect(Object.keys(deprecated)).not.toEqual([]);
  expect(RETIREMENTS).toEqual(deprecated);
});

test('a retirement is told of the own models of Anthropic alone', () => {
  const told = 'claude-sonnet-4-5 is retired on November 30th, 2026: choose a newer model.';
  expect(describeRetirement('claude-sonnet-4-5', null)).toBe(told);
  // Others who serve the model have dates of their own.
  expect(describeRetirement('claude-sonnet-4-5', 'http://127.0.0.1:1')).toBeNull();
  expect(describeRetirement('claude-opus-5-5', null)).toBeNull();
  expect(describeRetirement('toString', null)).toBeNull();
});

test('run says that the model it was given will be gone', async () => {
  const home = await temporaryFolder();
  // Without a key nothing is asked, and the study does not begin.
  const env = { ANTHROPIC_API_KEY: undefined };
  const args = ['run', await fastRepository(), '--model', 'claude-sonnet-4-5'];
  const { code, stdout } = await pawl(args, { home, env });
  expect(code).not.toBe(0);
  expect(stdout).toContain('claude-sonnet-4-5 is retired on November 30th, 2026: choose a newer model.\n');
});
