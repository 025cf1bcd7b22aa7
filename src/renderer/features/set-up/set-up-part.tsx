import { ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Field, TextArea, TextInput } from '../../ui/field.tsx';
import type { ArmForm, ArmProblems } from './set-up-arm.ts';
import type { FormProblems, SetUpForm, SpendBasisForm } from './set-up-form.ts';

/** Of the fields of one proposer. */
export type ArmProps = {
  readonly form: ArmForm;
  readonly problems: ArmProblems;
  readonly onChange: (patch: Partial<ArmForm>) => void;
  /** What a model's cost is estimated from. */
  readonly spend: SpendBasisForm;
};

/** What every part of the set-up form is given. */
export type PartProps = {
  readonly form: SetUpForm;
  readonly problems: FormProblems;
  readonly onChange: (patch: Partial<SetUpForm>) => void;
};

/** What a folded part of the form is given besides. */
export type GroupProps = PartProps & {
  /** How often a start was tried with fields that are not right. */
  readonly tries: number;
};

/** Fields that belong together, two beside each other. */
export function Part({
  title,
  hint,
  children,
}: {
  readonly title: string;
  readonly hint: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <fieldset className="mb-7">
      <legend className="mb-1 font-medium text-base">{title}</legend>
      <p className="mb-3 text-muted text-sm">{hint}</p>
      <div className="grid grid-cols-2 gap-x-5 gap-y-3">{children}</div>
    </fieldset>
  );
}

/**
 * Fields that belong together and have to be looked at by few: folded, it says what is in them. It opens by itself when
 * one of them is not right.
 */
export function Group({
  title,
  summary,
  hint,
  hasProblem,
  tries,
  isOpenAtFirst = false,
  children,
}: {
  readonly title: string;
  readonly summary: string;
  readonly hint?: ReactNode;
  readonly hasProblem: boolean;
  readonly tries: number;
  readonly isOpenAtFirst?: boolean;
  readonly children: ReactNode;
}) {
  const [isOpen, setOpen] = useState(isOpenAtFirst || hasProblem);
  const [seen, setSeen] = useState({ hasProblem, tries });
  if (seen.hasProblem !== hasProblem || seen.tries !== tries) {
    setSeen({ hasProblem, tries });
    if (hasProblem) setOpen(true);
  }
  return (
    <details
      aria-label={title}
      open={isOpen}
      onToggle={event => setOpen(event.currentTarget.open)}
      className="group mb-2 rounded-lg border border-line bg-surface"
    >
      <summary className="flex items-center gap-2 px-3 py-2.5 text-sm">
        <ChevronRight size={15} aria-hidden className="shrink-0 text-faint group-open:rotate-90" />
        <span className="shrink-0 font-medium">{title}</span>
        <span className="min-w-0 truncate text-muted" title={summary}>
          {summary}
        </span>
      </summary>
      <div className="px-4 pt-1 pb-4">
        {hint ? <p className="mb-3 text-muted text-sm">{hint}</p> : null}
        <div className="grid grid-cols-2 gap-x-5 gap-y-3">{children}</div>
      </div>
    </details>
  );
}

/** Whether one of these fields is not right. */
export function hasProblemIn(problems: FormProblems, names: readonly (keyof FormProblems)[]): boolean {
  return names.some(name => problems[name] !== undefined);
}

/** One text field of a form, with its complaint. */
export function Text<F extends object>({
  form,
  problems,
  onChange,
  name,
  label,
  hint,
  ...rest
}: {
  readonly form: F;
  readonly problems: Partial<Record<TextName<F>, string>>;
  readonly onChange: (patch: Partial<F>) => void;
  readonly name: TextName<F>;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly inputMode?: 'decimal' | 'numeric';
  readonly type?: string;
  readonly list?: string;
}) {
  return (
    <Field label={label} hint={hint} problem={problems[name]}>
      {ids => (
        <TextInput
          {...ids}
          {...rest}
          value={String(form[name])}
          onChange={event => onChange({ [name]: event.target.value } as Partial<F>)}
        />
      )}
    </Field>
  );
}

/** Several of something, one per line. */
export function Lines({
  form,
  problems,
  onChange,
  name,
  label,
  hint,
  placeholder,
  rows = 2,
  isDisabled = false,
}: PartProps & {
  readonly name:
    | 'editable'
    | 'locked'
    | 'reads'
    | 'writes'
    | 'require'
    | 'checks'
    | 'artifacts'
    | 'scoreReads'
    | 'swaps';
  readonly label: string;
  readonly hint: string;
  readonly placeholder?: string;
  readonly rows?: number;
  readonly isDisabled?: boolean;
}) {
  return (
    <Field label={label} hint={hint} problem={problems[name]}>
      {ids => (
        <TextArea
          {...ids}
          rows={rows}
          className="font-mono"
          value={form[name]}
          placeholder={placeholder}
          disabled={isDisabled}
          onChange={event => onChange({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
}

/** The fields of a form that hold any text. */
type TextName<F> = { [K in keyof F]: string extends F[K] ? K : never }[keyof F];
