import { Telemetry } from '../engine/machine/telemetry.ts';
import { dataPaths } from '../engine/paths.ts';
import { Engine } from '../engine/session/engine.ts';
import type { EngineOptions } from '../engine/session/engine-options.ts';
import { endDespiteSilence } from './end-despite-silence.ts';

/** Runs `work` with an engine and the machine's telemetry, and closes both. */
export async function withEngine(
  repository: string,
  work: (engine: Engine, options: EngineOptions) => Promise<void>,
): Promise<void> {
  const paths = dataPaths(process.env);
  const telemetry = new Telemetry({ environment: process.env, folder: paths.home });
  const options = { paths, host: 'terminal', environment: process.env, telemetry };
  const engine = await Engine.open(options, repository);
  telemetry.start();
  try {
    await work(engine, options);
    await engine.lastMessages();
  } finally {
    telemetry.stop();
    engine.close();
    endDespiteSilence();
  }
}
