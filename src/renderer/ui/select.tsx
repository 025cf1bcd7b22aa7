import { Check, ChevronDown, ChevronUp } from 'lucide-react';
import { Select as Radix } from 'radix-ui';
import { useState } from 'react';
import { classNames } from './class-names.ts';
import { Field, type FieldWords } from './field.tsx';

export type SelectOption<Value> = { readonly value: Value; readonly label: string };

type SelectProps<Value> = {
  readonly value: Value;
  readonly options: readonly SelectOption<Value>[];
  readonly onChange: (value: Value) => void;
  readonly id?: string;
  /** Its size. */
  readonly className?: string;
  /** The label of the field and its list, like `aria-labelledby`. */
  readonly 'aria-label'?: string;
  readonly 'aria-labelledby'?: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: boolean;
};

/** A {@link Field} with a {@link Select}. */
export function SelectField<Value extends string | number>({
  label,
  hint,
  problem,
  ...rest
}: FieldWords & SelectProps<Value>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {ids => <Select {...ids} {...rest} />}
    </Field>
  );
}

/** Opens a list to choose from. A value outside the list is shown as empty. */
export function Select<Value extends string | number>({
  value,
  options,
  onChange,
  className = 'h-8 w-full px-2.5 text-sm',
  ...rest
}: SelectProps<Value>) {
  // Options are created only when the user approaches, because Radix renders them even in a closed list.
  const [isUsed, setUsed] = useState(false);
  const at = options.findIndex(option => option.value === value);
  // Radix's values are texts, and it reserves '' for "nothing", which is a valid value here: so values are replaced
  // by list indices.
  const choose = (place: string) => {
    const option = place === '' ? undefined : options[Number(place)];
    if (option && option.value !== value) onChange(option.value);
  };
  return (
    <Radix.Root value={at < 0 ? '' : String(at)} onValueChange={choose} onOpenChange={() => setUsed(true)}>
      <Radix.Trigger
        {...rest}
        onFocus={() => setUsed(true)}
        className={classNames(
          'inline-flex min-w-0 items-center justify-between gap-1.5 rounded-md border border-line-strong bg-surface text-left text-ink aria-invalid:border-crash',
          className,
        )}
      >
        <span className="truncate">
          <Radix.Value>{options[at]?.label}</Radix.Value>
        </span>
        <ChevronDown size={14} aria-hidden className="shrink-0 text-muted" />
      </Radix.Trigger>
      {isUsed ? (
        <Radix.Portal>
          <Radix.Content
            position="popper"
            sideOffset={4}
            collisionPadding={8}
            aria-label={rest['aria-label']}
            aria-labelledby={rest['aria-labelledby']}
            className="z-50 max-h-[min(24rem,var(--radix-select-content-available-height))] min-w-(--radix-select-trigger-width) max-w-[calc(100vw-1rem)] overflow-hidden rounded-lg border border-line bg-surface text-ink text-sm shadow-float"
          >
            <Radix.ScrollUpButton className={SCROLL}>
              <ChevronUp size={14} aria-hidden />
            </Radix.ScrollUpButton>
            <Radix.Viewport className="p-1">
              {options.map((option, place) => (
                <Radix.Item
                  key={option.value}
                  value={String(place)}
                  className="flex cursor-pointer items-center justify-between gap-3 rounded-md px-2 py-1.5 outline-none data-[highlighted]:bg-accent-soft"
                >
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  <span className="w-3.5 shrink-0 text-accent">
                    <Radix.ItemIndicator>
                      <Check size={14} />
                    </Radix.ItemIndicator>
                  </span>
                </Radix.Item>
              ))}
            </Radix.Viewport>
            <Radix.ScrollDownButton className={SCROLL}>
              <ChevronDown size={14} aria-hidden />
            </Radix.ScrollDownButton>
          </Radix.Content>
        </Radix.Portal>
      ) : null}
    </Radix.Root>
  );
}

const SCROLL = 'flex h-6 shrink-0 items-center justify-center text-muted';
