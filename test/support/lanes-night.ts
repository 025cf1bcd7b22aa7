import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { dataPaths } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import type { SittingEnd } from '../../src/engine/session/sitting.ts';
import type { SittingSettings } from '../../src/engine/session/start/sitting-settings.ts';
import type { EngineEvent } from '../../src/shared/events.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from './scaffold.ts';
import { type Night, prepareNight, TAG } from './study.ts';

/** The constants of the fast trainer; it prints 1 + (10·|LR−8| + |DEPTH−8| + |WIDTH−8|/10) / 1,000. */
export type Constants = { readonly LR?: number; readonly DEPTH?: number; readonly WIDTH?: number };

const LINES = ['LR=2', 'DEPTH=4', 'WIDTH=16'] as const;

/**
 * A run waits for the file named by its constants; the unchanged code does not wait. Comments between the constants
 * keep patches to several of them from touching.
 */
const WAITING_TRAINER = FAST_TRAINER.replace(
  `${LINES.join('\n')}\n`,
  LINES.map(line => `# before\n${line}\n# after\n`).join(''),
).replace(
  /^value=/m,
  `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then until [ -e "$GATE/$LR-$DEPTH-$WIDTH" ]; do sleep 0.02; done; fi
value=`,
);

export type LanesNight = Night & {
  readonly engine: Engine;
  readonly studyId: string;
  readonly events: readonly EngineEvent[];
  /** Lets the run with these constants end. */
  open(constants: Constants): Promise<void>;
  /** The same for every combination of the patches. */
  openAll(): Promise<void>;
  run(settings?: SittingSettings): Promise<SittingEnd>;
  until(is: (event: EngineEvent) => boolean): Promise<EngineEvent>;
};

/** A study in two lanes that tries patches in order; each run ends when the test lets it. */
export async function lanesNight(
  patches: readonly Constants[],
  options: { readonly lanes?: readonly string[]; readonly asksApproval?: boolean } = {},
): Promise<LanesNight> {
  const gate = await temporaryFolder();
  const folder = join(gate, 'patches');
  await mkdir(folder);
  for (const [place, constants] of patches.entries())
    await writeFile(join(folder, `${place + 1}.patch`), patchOf(constants));
  const contract = contractFile({ limitSeconds: 600, more: 'environment = ["GATE"]' });
  const night = await prepareNight({ trainer: WAITING_TRAINER, contract });
  const environment = { ...process.env, PAWL_HOME: night.home, GATE: gate };
  const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
  onTestFinished(() => engine.close());
  const study = await engine.createStudy({
    repositoryPath: night.repository,
    tag: TAG,
    proposer: { kind: 'patches', folder },
    stop: { experiments: patches.length },
    lanes: options.lanes ?? ['cpu:2'],
    asksApproval: options.asksApproval,
  });
  const open = ({ LR = 2, DEPTH = 4, WIDTH = 16 }: Constants) =>
    writeFile(join(gate, `${LR}-${DEPTH}-${WIDTH}`), '');
  const events: EngineEvent[] = [];
  const waiting: (() => void)[] = [];
  return {
    ...night,
    ...{ engine, events, studyId: study.id },
    open,
    async openAll() {
      let all: readonly Constants[] = [{}];
      for (const patch of patches) all = [...all, ...all.map(other => ({ ...other, ...patch }))];
      await Promise.all(all.map(open));
    },
    async run(settings = {}) {
      const { error, ...end } = await engine.run(study.id, settings, event => {
        events.push(event);
        for (const wake of waiting.splice(0)) wake();
      });
      if (error) throw error;
      return end;
    },
    async until(is) {
      for (;;) {
        const found = events.find(is);
        if (found) return found;
        await new Promise<void>(resolve => waiting.push(resolve));
      }
    },
  };
}

/** A patch titled by its constants. */
function patchOf(constants: Constants): string {
  const title = Object.entries(constants)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  const hunks = LINES.flatMap((line, place) => {
    const [name = ''] = line.split('=');
    const value = constants[name as keyof Constants];
    const at = 3 * place + 1;
    const change = `@@ -${at},3 +${at},3 @@\n # before\n-${line}\n+${name}=${value}\n # after\n`;
    return value === undefined ? [] : [change];
  });
  return `${title}\n\n--- a/train.sh\n+++ b/train.sh\n${hunks.join('')}`;
}
