import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { implement } from '@orpc/server';
import type { handyCalls } from '../../shared/calls/handy-calls.ts';
import { PawlError } from '../../shared/errors.ts';
import { lastTrial } from '../../shared/study.ts';
import { openExperiment } from '../editor/open-experiment.ts';
import { runLog } from '../paths.ts';
import { writeExperiment } from '../report/describe-experiment.ts';
import { requireExperiment, requireStudy } from './experiment-view.ts';
import type { Service } from './service.ts';

type Implemented = ReturnType<typeof implement<typeof handyCalls>>;

/** Answers the calls of `handyCalls`. */
export function handyHandlers(service: Service, os: Pick<Implemented, keyof typeof handyCalls>) {
  const { ledger } = service;
  const { paths, environment, host } = service.options;
  const ports = { ledger, paths, environment };
  return {
    markdown: os.markdown.handler(async ({ input }) => {
      const study = requireStudy(ledger, input.study);
      const experiment = requireExperiment(ledger, study, input.n);
      return { text: await writeExperiment(ledger, study, experiment, ports) };
    }),
    openInEditor: os.openInEditor.handler(({ input }) =>
      openExperiment(ports, requireStudy(ledger, input.study), input.n),
    ),
    reveal: os.reveal.handler(({ input: { study, n, what } }) => {
      const run = lastTrial(ledger.runs.list(study, n));
      const log = run && runLog(paths, study, n, run.k);
      // The path is built here: a window never names a place on the disk.
      if (!log || !existsSync(log)) {
        throw new PawlError('experiment_not_found', `Experiment ${n} has no log on this machine.`);
      }
      const path = what === 'log' ? log : dirname(log);
      host.showItem?.(path);
      return { path, isShown: host.showItem !== undefined };
    }),
  };
}
