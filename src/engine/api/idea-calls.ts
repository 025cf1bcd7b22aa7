import type { implement } from '@orpc/server';
import type { ideaCalls } from '../../shared/calls/idea-calls.ts';
import { YOU } from '../../shared/proposers/ideas.ts';
import { queueIdea } from '../proposers/queue-idea.ts';
import { requireOwnStudy } from './experiment-view.ts';
import { changeIdea, dropIdea, listIdeas, readEditable, readIdeaDiff, restoreIdea } from './ideas-view.ts';
import type { Service } from './service.ts';

type Implemented = ReturnType<typeof implement<typeof ideaCalls>>;

/** Answers calls about the queue of ideas. */
export function ideaHandlers(service: Service, os: Pick<Implemented, keyof typeof ideaCalls>) {
  const { ledger, announcer, now } = service;
  const { paths } = service.options;
  return {
    list: os.list.handler(({ input }) => listIdeas(ledger, input.study)),
    add: os.add.handler(async ({ input: { study, ...input } }) => {
      const own = requireOwnStudy(ledger, study);
      const idea = await queueIdea({ ledger, paths, now }, own, { ...input, author: YOU });
      announcer.announceStudy(study);
      return idea;
    }),
    say: os.say.handler(({ input }) => {
      changeIdea(ledger, input.study, input.id, input.words);
      announcer.announceStudy(input.study);
    }),
    order: os.order.handler(({ input }) => {
      ledger.write(() => ledger.ideas.order(input.study, input.ids));
      announcer.announceStudy(input.study);
    }),
    drop: os.drop.handler(({ input }) => {
      dropIdea(ledger, input.study, input.id);
      announcer.announceStudy(input.study);
    }),
    diff: os.diff.handler(({ input }) => readIdeaDiff({ ledger, paths }, input.study, input.id)),
    restore: os.restore.handler(({ input }) => {
      restoreIdea(ledger, input.study, input.id);
      announcer.announceStudy(input.study);
    }),
    files: os.files.handler(({ input }) =>
      readEditable({ ledger, paths }, requireOwnStudy(ledger, input.study), input.n),
    ),
  };
}
