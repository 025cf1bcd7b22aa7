import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal } from '@xterm/xterm';
import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';
import { readTerminalTheme } from './terminal-theme.ts';

/**
 * A terminal that only shows output. It was printed by code that nobody has read: it may set colours and move the
 * cursor, but not name a window, set the clipboard, make links, change the palette or capture the mouse.
 */
export type OpenTerminal = {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  dispose(): void;
};

const SCROLLBACK_LINES = 10_000;
const FONT = '"JetBrains Mono Variable"';
const FONT_PIXELS = 12;
const SCROLLBAR_PIXELS = 14;

/**
 * Every operating system command that present terminals act on: titles, working folder, colours, links,
 * notifications, clipboard, fonts, progress, prompts, images.
 */
const IGNORED_OSC = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 50, 51, 52, 60, 66, 99, 104,
  105, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 133, 176, 555, 633, 697, 777, 1337, 5522,
];
/** Mouse reports would take the selection away from the reader; focus reports and pastes have no recipient. */
const IGNORED_MODES: ReadonlySet<number> = new Set([
  9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004,
]);

/** Opens a terminal in an element of the document. Calls `onTheme` when its colours have changed. */
export function openTerminal(parent: HTMLElement, onTheme: () => void): OpenTerminal {
  const root = document.documentElement;
  const terminal = new Terminal({
    disableStdin: true,
    // The training's lines have no carriage return, which a terminal would have added.
    convertEol: true,
    scrollback: SCROLLBACK_LINES,
    screenReaderMode: false,
    cursorBlink: false,
    cursorInactiveStyle: 'none',
    fontFamily: `${FONT}, ui-monospace, monospace`,
    fontSize: FONT_PIXELS,
    lineHeight: 1.25,
    // The output chose its colours for an unknown background.
    minimumContrastRatio: 4.5,
    theme: readTerminalTheme(root),
    // The API for search marks is still called a proposal.
    allowProposedApi: true,
    linkHandler: { activate: () => {} },
    logLevel: 'off',
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  for (const identifier of IGNORED_OSC) terminal.parser.registerOscHandler(identifier, () => true);
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, parameters =>
    parameters.some(mode => typeof mode === 'number' && IGNORED_MODES.has(mode)),
  );
  terminal.open(parent);

  let isDisposed = false;
  const fitNow = () => {
    // An element without layout has no size to fit.
    if (isDisposed || parent.clientWidth === 0 || parent.clientHeight === 0) return;
    const screen = terminal.element?.querySelector('.xterm-screen');
    const cellHeight = (screen?.clientHeight ?? 0) / terminal.rows;
    const { cols } = fit.proposeDimensions() ?? { cols: 0 };
    // If it were narrower than when the output was written, lines that overwrite themselves would leave remains.
    const columns = Math.max(TERMINAL_COLUMNS, cols);
    const rows = Math.floor(parent.clientHeight / cellHeight);
    if (rows >= 1 && Number.isFinite(rows)) terminal.resize(columns, rows);
    if (terminal.element && screen) {
      terminal.element.style.minWidth = `${screen.clientWidth + SCROLLBAR_PIXELS}px`;
    }
    keepScrollbar();
  };
  // Content wider than the window scrolls sideways while the vertical scrollbar stays visible.
  const keepScrollbar = () => {
    const hidden = parent.scrollWidth - parent.clientWidth - parent.scrollLeft;
    terminal.element?.style.setProperty('--hidden-right', `${hidden}px`);
  };
  parent.addEventListener('scroll', keepScrollbar);
  fitNow();
  const size = new ResizeObserver(fitNow);
  size.observe(parent);
  const theme = new MutationObserver(() => {
    terminal.options.theme = readTerminalTheme(root);
    onTheme();
  });
  theme.observe(root, { attributes: true, attributeFilter: ['data-theme'] });
  // A cell is as wide as the font; if measured before the font is loaded, it stays wrong.
  void document.fonts.load(`${FONT_PIXELS}px ${FONT}`).then(
    () => {
      if (isDisposed) return;
      terminal.options.fontFamily = `${FONT}, ui-monospace, monospace, sans-serif`;
      fitNow();
    },
    () => {},
  );

  return {
    terminal,
    search,
    dispose: () => {
      isDisposed = true;
      size.disconnect();
      theme.disconnect();
      parent.removeEventListener('scroll', keepScrollbar);
      terminal.dispose();
    },
  };
}
