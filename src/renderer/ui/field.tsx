import { type ComponentProps, type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';

/** The scroll margin keeps the message below it visible when it gets the focus. */
const BOX =
  'w-full scroll-mb-16 rounded-md border border-line-strong bg-surface px-2.5 text-ink text-sm placeholder:text-faint aria-invalid:border-crash';

/** What a field says about itself. */
export type FieldWords = {
  readonly label: string;
  /** An explanation or example. */
  readonly hint?: ReactNode;
  /** What is wrong; shown below the field. */
  readonly problem?: string | null | undefined;
};

type FieldProps = FieldWords & {
  readonly children: (ids: {
    readonly id: string;
    readonly 'aria-labelledby': string;
    readonly 'aria-describedby': string;
    readonly 'aria-invalid': boolean;
  }) => ReactNode;
};

/** A labelled form field with its hint and its message. */
export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId();
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label id={`${id}-label`} htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      {children({
        id,
        'aria-labelledby': `${id}-label`,
        'aria-describedby': `${id}-help`,
        'aria-invalid': Boolean(problem),
      })}
      <p
        id={`${id}-help`}
        className={classNames('break-words text-xs', problem ? 'text-crash' : 'text-muted')}
      >
        {problem || hint}
      </p>
    </div>
  );
}

export function TextInput({ className, ...rest }: ComponentProps<'input'>) {
  return <input type="text" spellCheck={false} {...rest} className={classNames(BOX, 'h-8', className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea spellCheck={false} {...rest} className={classNames(BOX, 'py-1.5', className)} />;
}

type TextProps<Kind extends 'input' | 'textarea'> = FieldWords &
  Omit<ComponentProps<Kind>, 'children' | 'onChange'> & {
    readonly value: string;
    readonly onChange: (text: string) => void;
  };

/** A {@link Field} for one line. */
export function TextField({ label, hint, problem, onChange, ...rest }: TextProps<'input'>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {ids => <TextInput {...ids} {...rest} onChange={event => onChange(event.target.value)} />}
    </Field>
  );
}

/** A {@link Field} for several lines. */
export function TextAreaField({ label, hint, problem, onChange, ...rest }: TextProps<'textarea'>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {ids => <TextArea {...ids} {...rest} onChange={event => onChange(event.target.value)} />}
    </Field>
  );
}

/** A yes-or-no setting. */
export function Switch({
  label,
  hint,
  checked,
  onChange,
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="flex items-start gap-3">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        onChange={event => onChange(event.target.checked)}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <label htmlFor={id} className="text-sm">
        {label}
        {hint ? <span className="block text-muted text-xs">{hint}</span> : null}
      </label>
    </div>
  );
}
