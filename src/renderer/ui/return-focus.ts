import { type RefObject, useEffect, useRef } from 'react';

/** What takes the focus for itself while it is open. */
const OVER = '[role="dialog"], [role="menu"], [role="listbox"]';

/** What had the focus last outside of everything that closes again. */
let home: HTMLElement | null = null;

/** Keeps track of where the focus is, for `returnFocus`. Once for the whole window. */
export function useFocusMemory(): void {
  useEffect(() => {
    const note = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && !target.closest(OVER)) home = target;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
}

/**
 * For `onCloseAutoFocus`: gives the focus back to what had it, else to the main part of the window. Our dialogs open
 * from menus, keys and the palette, so there is no trigger that could be given it. It comes a timer late: what was
 * opened meanwhile keeps the focus, or letters typed there would be lost.
 */
export function returnFocus(event: Event): void {
  event.preventDefault();
  if (document.activeElement?.closest(OVER)) return;
  const place = home?.isConnected ? home : document.querySelector('main');
  place?.focus({ preventScroll: true });
}

/** Gives the focus to the main part of the window where it went with the screen that had it. */
export function useScreenFocus(screen: string): void {
  const shown = useRef(screen);
  useEffect(() => {
    if (shown.current === screen) return;
    shown.current = screen;
    if (isLost()) document.querySelector('main')?.focus({ preventScroll: true });
  }, [screen]);
}

/** Gives the focus to the first control of a form that comes when nothing else has it. */
export function useFirstFocus(form: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (!isLost()) return;
    form.current
      ?.querySelector<HTMLElement>('input:enabled, select:enabled, textarea:enabled')
      ?.focus({ preventScroll: true });
  }, [form]);
}

function isLost(): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || activeElement.matches('main');
}
