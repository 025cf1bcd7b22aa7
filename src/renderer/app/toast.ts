import type { ExternalToast } from 'sonner';

/**
 * Notices in a corner of the window. Their code comes after the first cells; what is told before that is shown then. If
 * it cannot be loaded, the corner says so.
 */
export const toast = { success: show('success'), info: show('info'), error: show('error') };

function show(kind: 'success' | 'info' | 'error') {
  return (text: string, options?: ExternalToast) =>
    void import('sonner').then(
      ({ toast }) => toast[kind](text, options),
      () => {},
    );
}
