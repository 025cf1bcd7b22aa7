import { type RefObject, useEffect, useRef } from 'react';

/** Elements that take the focus while they are open. */
const OVER = '[role="dialog"], [role="menu"], [role="listbox"]';

/** The last focused element outside of these, and the one before it. */
let home: HTMLElement | null = null;
let before: HTMLElement | null = null;

/**
 * Tracks the focus for `returnFocus`, and keeps it in the window: the focus of a control that disappears goes to the
 * dialog around it, else to the main part. Otherwise the next Tab would begin at the top. Call once per window.
 */
export function useFocusMemory(): void {
  useEffect(() => {
    let focused: { readonly element: Element; readonly over: HTMLElement | null } | null = null;
    const note = ({ target }: FocusEvent) => {
      if (!(target instanceof HTMLElement)) return;
      const over = target.closest<HTMLElement>(OVER);
      focused = { element: target, over };
      if (target === home || over) return;
      before = home;
      home = target;
    };
    const keep = () => {
      if (!focused || focused.element.isConnected || document.activeElement !== document.body) return;
      // What closes returns the focus itself.
      const place = focused.over ?? document.querySelector('main');
      focused = null;
      if (place?.isConnected) place.focus({ preventScroll: true });
    };
    const removals = new MutationObserver(keep);
    removals.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('focusin', note);
    return () => {
      removals.disconnect();
      document.removeEventListener('focusin', note);
    };
  }, []);
}

/**
 * For `onCloseAutoFocus`: returns the focus to the element that had it, else to the main part of the window. Dialogs
 * open from menus, keys and the palette, so they have no trigger to focus. It runs one timer later: a dialog that has
 * opened meanwhile keeps the focus, because letters typed there would be lost.
 */
export function returnFocus(event: Event): void {
  event.preventDefault();
  if (document.activeElement?.closest(OVER)) return;
  const place = home?.isConnected ? home : document.querySelector('main');
  place?.focus({ preventScroll: true });
}

/** Gives up the focus of a field that a key led to: it returns to where it was before. */
export function leaveField(field: HTMLElement): void {
  field.blur();
  if (before?.isConnected) before.focus({ preventScroll: true });
}

/** Focuses the main part of the window if the focus was lost with the last screen. */
export function useScreenFocus(screen: string): void {
  const shown = useRef(screen);
  useEffect(() => {
    if (shown.current === screen) return;
    shown.current = screen;
    if (isLost()) document.querySelector('main')?.focus({ preventScroll: true });
  }, [screen]);
}

/** Focuses the first control of a form that appears while nothing else has the focus. */
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
