import { useEffect, useRef } from 'react';
import type { Contract } from '../../../shared/contract/contract.ts';
import { MAX_HYPOTHESIS } from '../../../shared/proposers/ideas.ts';
import { TextAreaField, TextField } from '../../ui/field.tsx';
import { effectOf, type WordsDraft } from './idea-draft.ts';

/** The fields for an idea's description. */
export function IdeaWordsFields({
  metric,
  words,
  hasFocus = false,
  onChange,
}: {
  readonly metric: Contract['metric'];
  readonly words: WordsDraft;
  /** Whether the first field gets the focus. */
  readonly hasFocus?: boolean;
  readonly onChange: (patch: Partial<WordsDraft>) => void;
}) {
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (hasFocus) first.current?.focus();
  }, [hasFocus]);
  const { hypothesis, rationale, effect, category } = words;
  return (
    <div className="flex flex-col gap-3">
      <TextField
        label="Idea"
        ref={first}
        maxLength={MAX_HYPOTHESIS}
        placeholder="One line: what should be tried?"
        spellCheck
        value={hypothesis}
        onChange={hypothesis => onChange({ hypothesis })}
      />
      <TextAreaField
        label="Why"
        rows={3}
        maxLength={20_000}
        placeholder="Why it should work, and what to watch for"
        spellCheck
        value={rationale}
        onChange={rationale => onChange({ rationale })}
      />
      <div className="grid grid-cols-2 gap-4">
        <TextField
          label={`Expected change of ${metric.name}`}
          hint={metric.goal === 'minimize' ? 'Lower is better: a gain is negative.' : 'Higher is better.'}
          problem={Number.isNaN(effectOf(effect)) ? 'Write a signed number, or leave it empty.' : null}
          inputMode="decimal"
          placeholder={metric.goal === 'minimize' ? '−0.002' : '+0.002'}
          value={effect}
          onChange={effect => onChange({ effect })}
        />
        <TextField
          label="Category"
          hint="One word, to find it by."
          maxLength={60}
          placeholder="optimizer"
          value={category}
          onChange={category => onChange({ category })}
        />
      </div>
    </div>
  );
}
