import type { ITheme } from '@xterm/xterm';

/** xterm paints colours itself and needs values, not variable names. */
export function readTerminalTheme(root: Element): ITheme {
  const style = getComputedStyle(root);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    background: value('sunken'),
    foreground: value('ink'),
    cursor: value('ink'),
    cursorAccent: value('sunken'),
    selectionBackground: value('accent-soft'),
    selectionInactiveBackground: value('accent-soft'),
    selectionForeground: value('ink'),
    black: value('ansi-black'),
    red: value('ansi-red'),
    green: value('ansi-green'),
    yellow: value('ansi-yellow'),
    blue: value('ansi-blue'),
    magenta: value('ansi-magenta'),
    cyan: value('ansi-cyan'),
    white: value('ansi-white'),
    brightBlack: value('ansi-bright-black'),
    brightRed: value('ansi-bright-red'),
    brightGreen: value('ansi-bright-green'),
    brightYellow: value('ansi-bright-yellow'),
    brightBlue: value('ansi-bright-blue'),
    brightMagenta: value('ansi-bright-magenta'),
    brightCyan: value('ansi-bright-cyan'),
    brightWhite: value('ansi-bright-white'),
    scrollbarSliderBackground: `${value('line-strong')}80`,
    scrollbarSliderHoverBackground: value('line-strong'),
    scrollbarSliderActiveBackground: value('line-strong'),
  };
}

/** Colours of search hits, also as values. */
export function readHitColours(root: Element) {
  const style = getComputedStyle(root);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    matchBackground: value('hit'),
    matchOverviewRuler: value('hit'),
    activeMatchBackground: value('hit-active'),
    activeMatchColorOverviewRuler: value('hit-active'),
    activeMatchBorder: value('ink'),
  };
}
