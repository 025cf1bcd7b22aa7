import { useEffect } from 'react';

/** What had the focus last outside of everything that closes again. */
let home: HTMLElement | null = null;

/** Keeps track of where the focus is, for `returnFocus`. Once for the whole window. */
export function useFocusMemory(): void {
  useEffect(() => {
    const note = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && !target.closest('[role="dialog"], [role="menu"]')) home = target;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
}

/**
 * For `onCloseAutoFocus`: gives the focus back to what had it, else to the main part of the window. Our dialogs open
 * from menus, keys and the palette, so there is no trigger that could be given it.
 */
export function returnFocus(event: Event): void {
  event.preventDefault();
  const place = home?.isConnected ? home : document.querySelector('main');
  place?.focus({ preventScroll: true });
}
