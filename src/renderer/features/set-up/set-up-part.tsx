import type { ReactNode } from 'react';
import { Field, TextArea, TextInput } from '../../ui/field.tsx';
import type { FormProblems, SetUpForm } from './set-up-form.ts';

/** What every part of the set-up form is given. */
export type PartProps = {
  readonly form: SetUpForm;
  readonly problems: FormProblems;
  readonly onChange: (patch: Partial<SetUpForm>) => void;
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
