import { WINDOW_ORIGIN } from './window-response.ts';

/** What is looked at of a frame that asks to be connected. */
export type SenderFrame = { readonly origin: string; readonly url: string; readonly parent: object | null };

/**
 * Why a frame may not be connected, or null where it may: it must be the whole page of our window (no frame in it, no
 * other window), and that page must be our own.
 */
export function refuseSender(frame: SenderFrame | null, isOurWindow: boolean): string | null {
  if (frame === null) return 'the frame is gone';
  if (!isOurWindow) return 'not our window';
  if (frame.parent !== null) return 'not the top frame';
  if (frame.origin !== WINDOW_ORIGIN || !frame.url.startsWith(`${WINDOW_ORIGIN}/`)) return 'wrong origin';
  return null;
}
