import { ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { TextAreaField, TextField } from '../../ui/field.tsx';
import type { ArmForm, ArmProblems } from './set-up-arm.ts';
import type { FormProblems, SetUpForm, SpendBasisForm } from './set-up-form.ts';

/** Props for the fields of one proposer. */
export type ArmProps = {
  readonly form: ArmForm;
  readonly problems: ArmProblems;
  readonly onChange: (patch: Partial<ArmForm>) => void;
  /** The basis for estimating a model's cost. */
  readonly spend: SpendBasisForm;
};

/** Props for every part of the set-up form. */
export type PartProps = {
  readonly form: SetUpForm;
  readonly problems: FormProblems;
  readonly onChange: (patch: Partial<SetUpForm>) => void;
};

/** Additional props for a folded part. */
export type GroupProps = PartProps & {
  /** How many times the user tried to start with invalid fields. */
  readonly tries: number;
};

/** Related fields, in two columns. */
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
 * Related fields that few users need: when folded, a summary shows their content. It opens by itself if one of them
 * is invalid.
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

/** Whether one of these fields is invalid. */
export function hasProblemIn(problems: FormProblems, names: readonly (keyof FormProblems)[]): boolean {
  return names.some(name => problems[name] !== undefined);
}

/** A text field of a form, with its message. */
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
    <TextField
      label={label}
      hint={hint}
      problem={problems[name]}
      {...rest}
      value={String(form[name])}
      onChange={text => onChange({ [name]: text } as Partial<F>)}
    />
  );
}

/** A field with one entry per line. */
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
    <TextAreaField
      label={label}
      hint={hint}
      problem={problems[name]}
      rows={rows}
      className="font-mono"
      value={form[name]}
      placeholder={placeholder}
      disabled={isDisabled}
      onChange={text => onChange({ [name]: text })}
    />
  );
}

/** The text fields of a form. */
type TextName<F> = { [K in keyof F]: string extends F[K] ? K : never }[keyof F];
