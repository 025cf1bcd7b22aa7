import type { Message } from '@anthropic-ai/sdk/resources/messages';
import { stripControl } from '../../metrics/line-splitter.ts';

/** What the server says of itself is shown no further than this. */
const NAME_CHARACTERS = 200;
const EXPLANATION_CHARACTERS = 500;

/** A model's name without its vendor, date and tag: `vendor/name-20260901:latest`. */
function bareName(model: string): string {
  return model
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/:latest$/, '')
    .replace(/-(?:\d{8}|latest)$/, '');
}

/** The model that answered, where it is another than was asked; null where it is the same or the server does not say. */
export function otherModel(asked: string, answered: unknown): string | null {
  if (typeof answered !== 'string' || answered === '' || bareName(answered) === bareName(asked)) return null;
  return clean(answered, NAME_CHARACTERS);
}

/** A server may answer with another model than was asked: one that stands in, or what a gateway makes of the name. */
export function describeOther(asked: string, other: string): string {
  return `${other} answered instead of ${asked}.`;
}

/** Why the model declined, as far as the server says; null where it did not. */
export function describeRefusal({
  stop_reason: reason,
  stop_details: details,
}: Pick<Message, 'stop_reason' | 'stop_details'>): string | null {
  if (reason !== 'refusal') return null;
  const text = (value: unknown) => (typeof value === 'string' ? clean(value, EXPLANATION_CHARACTERS) : '');
  const category = text(details?.category).replaceAll('_', ' ');
  const explanation = text(details?.explanation);
  const what = `The model declined to answer${category === '' ? '' : ` (${category})`}`;
  return explanation === '' ? `${what}.` : `${what}: ${explanation}`;
}

function clean(text: string, characters: number): string {
  return stripControl(text.slice(0, characters)).replace(/\s+/g, ' ').toWellFormed().trim();
}
