import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { KeyboardEvent, ReactNode } from 'react';
import { classNames } from './class-names.ts';
import { returnFocus } from './return-focus.ts';

/** A question or form above everything else. Escape and a click outside close it. */
export function Dialog({
  title,
  description,
  onClose,
  children,
  isWide,
  onEscape,
}: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly isWide?: boolean | 'very';
  /** Called on Escape before the dialog closes; returns whether it did something. */
  readonly onEscape?: () => boolean;
}) {
  return (
    <Radix.Root open onOpenChange={isOpen => !isOpen && onClose()}>
      <Radix.Portal>
        {/* As high as the content, so that the overlay of a question covers the dialog that asks it. */}
        <Radix.Overlay className="fixed inset-0 z-50 bg-black/35" />
        <Radix.Content
          onOpenAutoFocus={focusFirstField}
          onCloseAutoFocus={returnFocus}
          onKeyDown={sendWithControlEnter}
          onEscapeKeyDown={event => onEscape?.() && event.preventDefault()}
          className={classNames(
            '-translate-x-1/2 fixed top-[10vh] left-1/2 z-50 flex max-h-[80vh] w-[calc(100vw-2rem)] flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-float',
            isWide === 'very' ? 'max-w-5xl' : isWide ? 'max-w-3xl' : 'max-w-lg',
          )}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-4">
            <div>
              <Radix.Title className="font-semibold text-base">{title}</Radix.Title>
              {description ? (
                <Radix.Description className="mt-1 text-muted text-sm">{description}</Radix.Description>
              ) : null}
            </div>
            <Radix.Close
              aria-label="Close"
              className="-mr-2 inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-ink"
            >
              <X size={16} aria-hidden />
            </Radix.Close>
          </header>
          <div className="min-h-0 overflow-y-auto px-5 pt-3 pb-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** In a multi-line text, Enter alone makes a new line. */
function sendWithControlEnter(event: KeyboardEvent): void {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  if (!(event.target instanceof HTMLElement)) return;
  const form = event.target.closest('form');
  const send = form?.querySelector<HTMLButtonElement>('button[type="submit"]');
  if (!form || !send || send.disabled) return;
  event.preventDefault();
  form.requestSubmit(send);
}

/** A user who opens a form wants to fill it in. If it has no field, the first control gets the focus. */
function focusFirstField(event: Event): void {
  if (!(event.currentTarget instanceof HTMLElement)) return;
  const field = event.currentTarget.querySelector<HTMLElement>('input, textarea, [role="combobox"]');
  if (!field) return;
  event.preventDefault();
  field.focus();
}
