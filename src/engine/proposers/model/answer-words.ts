import type { Message } from '@anthropic-ai/sdk/resources/messages';
import { stripControl } from '../../metrics/line-splitter.ts';

/** How much of a server's text about itself is shown. */
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

/** The model that answered, if it is not the one asked; null if it is, or the server does not say. */
export function otherModel(asked: string, answered: unknown): string | null {
  if (typeof answered !== 'string' || answered === '' || bareName(answered) === bareName(asked)) return null;
  return clean(answered, NAME_CHARACTERS);
}

/** A server may answer with another model than the one asked: a stand-in, or a gateway's name for it. */
export function describeOther(asked: string, other: string): string {
  return `${other} answered instead of ${asked}.`;
}

/** Why the model declined, as far as the server says; null if it did not decline. */
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
