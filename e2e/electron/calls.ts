import type { Page } from '@playwright/test';

/** The answer to a call: its value, or the error's message and code. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly status: number;
      readonly message: string;
      readonly code: string | undefined;
    };

type Outcome = { readonly closed: boolean; readonly answer: string | null };

/**
 * Opens another port from the page, as the app's own code does, and sends the texts through it. Resolves when the first
 * answer arrives or the port is closed.
 */
export function sendTexts(page: Page, texts: readonly string[]): Promise<Outcome> {
  return page.evaluate(
    given =>
      new Promise<Outcome>(resolve => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', ({ data }) => resolve({ closed: false, answer: String(data) }));
        port1.addEventListener('close', () => resolve({ closed: true, answer: null }));
        port1.start();
        window.postMessage({ type: 'pawl:connect' }, location.origin, [port2]);
        for (const text of given) port1.postMessage(text);
      }),
    texts,
  );
}

/** Makes one call in the format of the carrier. `path` looks like `studies/start`. */
export async function call<T>(page: Page, path: string, input?: unknown): Promise<Answer<T>> {
  const body = input === undefined ? {} : { b: { json: input } };
  const { answer } = await sendTexts(page, [JSON.stringify({ i: '1', p: { u: `/${path}`, ...body } })]);
  if (answer === null) throw new Error(`${path} was not answered`);
  const { p: payload } = JSON.parse(answer) as {
    p: { s?: number; b?: { json?: unknown } };
  };
  if ((payload.s ?? 200) < 400) return { ok: true, value: payload.b?.json as T };
  const error = payload.b?.json as { message?: string; data?: { code?: string } } | undefined;
  return {
    ok: false,
    status: payload.s ?? 0,
    message: error?.message ?? String(payload.b),
    code: error?.data?.code,
  };
}

/** Like {@link call}, but throws if the answer is an error. */
export async function ask<T>(page: Page, path: string, input?: unknown): Promise<T> {
  const answer = await call<T>(page, path, input);
  if (!answer.ok) throw new Error(`${path}: ${answer.message}`);
  return answer.value;
}
