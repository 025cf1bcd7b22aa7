import { expect, type Page } from '@playwright/test';

export type HeldAnswers = {
  /** From now on the page hears nothing of its server, or no answer to one call; what it sends still arrives there. */
  readonly hold: (call?: string) => void;
  /** Waits until an answer is held. */
  readonly untilHeld: () => Promise<void>;
  /** Lets the page hear everything that was held, and all that follows. */
  readonly letGo: () => void;
};

/** Puts a test between a page and its server. To be called before the page is opened. */
export async function holdAnswers(page: Page): Promise<HeldAnswers> {
  let isHeld: ((message: string | Buffer) => boolean) | null = null;
  let held: (string | Buffer)[] = [];
  let tell: (message: string | Buffer) => void = () => {};
  const callOf = new Map<string, string>();
  await page.routeWebSocket('**/calls', socket => {
    tell = message => socket.send(message);
    const server = socket.connectToServer();
    socket.onMessage(message => {
      const { i: id, p: request } = JSON.parse(String(message));
      if (request?.u) callOf.set(id, request.u);
      server.send(message);
    });
    server.onMessage(message => {
      if (isHeld?.(message)) held.push(message);
      else socket.send(message);
    });
  });
  return {
    hold: call => {
      isHeld = message => !call || callOf.get(JSON.parse(String(message)).i)?.endsWith(`/${call}`) === true;
    },
    untilHeld: () => expect.poll(() => held.length).toBeGreaterThan(0),
    letGo: () => {
      for (const message of held) tell(message);
      isHeld = null;
      held = [];
    },
  };
}
