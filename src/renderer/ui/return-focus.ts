import { useEffect } from 'react';

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
