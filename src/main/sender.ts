import { WINDOW_ORIGIN } from './window-response.ts';

/** The properties that are checked of a frame that wants to connect. */
export type SenderFrame = { readonly origin: string; readonly url: string; readonly parent: object | null };

/**
 * Why a frame may not connect, or null if it may: it must be the whole page of Pawl's window (no inner frame, no
 * other window), and that page must be Pawl's own.
 */
export function refuseSender(frame: SenderFrame | null, isOurWindow: boolean): string | null {
  if (frame === null) return 'the frame is gone';
  if (!isOurWindow) return 'not our window';
  if (frame.parent !== null) return 'not the top frame';
  if (frame.origin !== WINDOW_ORIGIN || !frame.url.startsWith(`${WINDOW_ORIGIN}/`)) return 'wrong origin';
  return null;
}
