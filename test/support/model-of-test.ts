import { onTestFinished } from 'vitest';
import { type ModelServer, type Options, type Script, startModelServer } from './model-server.ts';

/** A {@link startModelServer} that closes when the test does. */
export async function modelServer(reply: Script, options: Options = {}): Promise<ModelServer> {
  const { close, ...server } = await startModelServer(reply, options);
  onTestFinished(close);
  return server;
}
