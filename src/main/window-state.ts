import { z } from 'zod';

export type Rectangle = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** The window's last position; `null` positions leave it to the system. */
export type WindowState = {
  readonly x: number | null;
  readonly y: number | null;
  readonly width: number;
  readonly height: number;
  readonly isMaximized: boolean;
};

export const MIN_WIDTH = 720;
export const MIN_HEIGHT = 480;
const DEFAULT_WIDTH = 1_320;
const DEFAULT_HEIGHT = 860;
/** How much of the title bar must be visible for the user to grab it. */
const GRIP_WIDTH = 120;
const GRIP_HEIGHT = 24;

const coordinate = z.number().int().min(-100_000).max(100_000);
const length = z.number().int().min(1).max(100_000);
const windowStateSchema = z.strictObject({
  x: coordinate.nullable(),
  y: coordinate.nullable(),
  width: length,
  height: length,
  isMaximized: z.boolean(),
});

/**
 * Where to open the window: at its stored position, if that is valid and its title bar is on a present display; else
 * in the centre. Never larger than its display. `workAreas` lists the primary display first.
 */
export function restoreWindowState(stored: unknown, workAreas: readonly Rectangle[]): WindowState {
  const parsed = windowStateSchema.safeParse(stored);
  const wanted = parsed.success
    ? parsed.data
    : { x: null, y: null, width: DEFAULT_WIDTH, height: DEFAULT_HEIGHT, isMaximized: false };
  const home = workAreas.find(area => isGripIn(wanted, area));
  const area = home ?? workAreas[0];
  const clamp = (value: number, least: number, most: number | undefined) =>
    Math.max(least, Math.min(value, most ?? value));
  return {
    x: home ? wanted.x : null,
    y: home ? wanted.y : null,
    width: clamp(wanted.width, MIN_WIDTH, area?.width),
    height: clamp(wanted.height, MIN_HEIGHT, area?.height),
    isMaximized: wanted.isMaximized,
  };
}

function isGripIn(state: WindowState, area: Rectangle): boolean {
  if (state.x === null || state.y === null) return false;
  const overlap = Math.min(state.x + state.width, area.x + area.width) - Math.max(state.x, area.x);
  const isTopInside = state.y >= area.y && state.y + GRIP_HEIGHT <= area.y + area.height;
  return isTopInside && overlap >= Math.min(GRIP_WIDTH, state.width);
}
