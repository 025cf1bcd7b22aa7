import type { Page } from '@playwright/test';

export type HeldAnswers = {
  /** From now on the page hears nothing of its server; what it sends still arrives there. */
  readonly hold: () => void;
  /** Lets the page hear everything that was held, and all that follows. */
  readonly letGo: () => void;
};

/** Puts a test between a page and its server. To be called before the page is opened. */
export async function holdAnswers(page: Page): Promise<HeldAnswers> {
  let held: (string | Buffer)[] | null = null;
  let tell: (message: string | Buffer) => void = () => {};
  await page.routeWebSocket('**/calls', socket => {
    tell = message => socket.send(message);
    socket.connectToServer().onMessage(message => {
      if (held) held.push(message);
      else socket.send(message);
    });
  });
  return {
    hold: () => {
      held = [];
    },
    letGo: () => {
      const all = held ?? [];
      held = null;
      for (const message of all) tell(message);
    },
  };
}
