import { Check, Minus, X } from 'lucide-react';
import type { ProgressRow } from './progress-model.ts';

const MARKS = {
  keep: { Icon: Check, text: 'text-keep' },
  discard: { Icon: Minus, text: 'text-discard' },
  crash: { Icon: X, text: 'text-crash' },
} as const;

/** The verdict as a word with its sign, so that colour is never the only difference. */
export function VerdictMark({ word }: { readonly word: NonNullable<ProgressRow['word']> }) {
  const { Icon, text } = MARKS[word];
  return (
    <span className={`inline-flex items-center gap-1 font-medium ${text}`}>
      <Icon size={13} strokeWidth={2.5} aria-hidden="true" />
      {word}
    </span>
  );
}
