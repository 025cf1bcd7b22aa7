import type { implement } from '@orpc/server';
import type { stackCalls } from '../../shared/calls/stack-calls.ts';
import { branchStack } from '../stack/make-branch.ts';
import { describeStack } from '../stack/pull-request.ts';
import { queueTrial } from '../stack/queue-trial.ts';
import { readStack, type StackPorts } from '../stack/stack.ts';
import { saveSeries, seriesOf } from '../stack/write-series.ts';
import { requireOwnStudy } from './experiment-view.ts';
import { cleanPath } from './projects.ts';
import type { Service } from './service.ts';

type Implemented = ReturnType<typeof implement<typeof stackCalls>>;

/** Answers the calls of `stackCalls`. */
export function stackHandlers(service: Service, os: Pick<Implemented, keyof typeof stackCalls>) {
  const { ledger, announcer, now } = service;
  const { paths, environment } = service.options;
  const ports: StackPorts = { ledger, paths, environment, now };
  const own = (id: string) => requireOwnStudy(ledger, id);
  return {
    read: os.read.handler(({ input }) => readStack(ports, own(input.study), input.order)),
    branch: os.branch.handler(async ({ input: { study, ...choice } }) => {
      const { mark, ...made } = await branchStack(ports, own(study), choice);
      announcer.announceMark(study, mark);
      return made;
    }),
    savePatches: os.savePatches.handler(async ({ input: { study, folder, ...choice } }) => ({
      files: await saveSeries(ports, own(study), cleanPath(folder), choice),
    })),
    patches: os.patches.handler(async ({ input: { study, ...choice } }) => ({
      name: `${own(study).tag}.mbox`,
      content: (await seriesOf(ports, own(study), choice)).toString('base64'),
    })),
    pullRequest: os.pullRequest.handler(({ input }) => describeStack(ports, own(input.study), input.order)),
    queue: os.queue.handler(async ({ input: { study, ...choice } }) => {
      const idea = await queueTrial(ports, own(study), choice);
      announcer.announceStudy(study);
      return idea;
    }),
  };
}
