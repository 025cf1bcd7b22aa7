import Anthropic from '@anthropic-ai/sdk';
import type { ModelSettings } from '../../../shared/proposers/proposers.ts';

const ANTHROPIC = 'https://api.anthropic.com';
/** A server could send for ever; a model's longest answer is far smaller. */
const MAX_ANSWER_BYTES = 64 * 1024 ** 2;

/** Sets everything that the SDK would otherwise take from the environment or from files. */
export function clientFor(
  settings: Pick<ModelSettings, 'baseUrl'>,
  key: string | null,
  onBytes: () => void = () => {},
): Anthropic {
  return new Anthropic({
    fetch: (url, init) => fetchOwn(url, init, onBytes),
    // A server without a key gets a placeholder, so that the SDK does not look for another key.
    apiKey: key ?? 'none',
    baseURL: settings.baseUrl ?? ANTHROPIC,
    maxRetries: 0,
    logLevel: 'off',
    openTelemetry: false,
  });
}

/** Headers that the SDK sets itself; others would come from a variable that is not meant for this server. */
const OWN_HEADERS =
  /^(?:accept|content-type|authorization|x-api-key|user-agent|anthropic-(?:version|beta)|x-stainless-.+)$/;

/** Reports every byte that arrives, because the SDK hides a server's pings. Never follows a redirect with the key. */
async function fetchOwn(
  url: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  onBytes: () => void,
): Promise<Response> {
  const headers = new Headers(init?.headers);
  for (const name of [...headers.keys()]) if (!OWN_HEADERS.test(name)) headers.delete(name);
  const response = await fetch(url, { ...init, headers, redirect: 'error' });
  onBytes();
  if (!response.body) return response;
  let bytes = 0;
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      onBytes();
      bytes += chunk.byteLength;
      if (bytes > MAX_ANSWER_BYTES)
        controller.error(new Error(`it is longer than ${MAX_ANSWER_BYTES} bytes`));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(tap), response);
}
