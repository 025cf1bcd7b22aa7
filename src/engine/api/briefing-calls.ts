import type { implement } from '@orpc/server';
import type { briefingCalls } from '../../shared/calls/briefing-calls.ts';
import { makeMemory, saveMemory } from '../proposers/study-memory.ts';
import { requireOwnStudy, requireStudy } from './experiment-view.ts';
import { readInstructions, readInstructionsVersion, saveInstructions } from './instructions-view.ts';
import { readMemoryVersion, viewMemory } from './memory-view.ts';
import type { Service } from './service.ts';

type Implemented = ReturnType<typeof implement<typeof briefingCalls>>;
type Os = {
  readonly instructions: Pick<Implemented['instructions'], keyof typeof briefingCalls.instructions>;
  readonly memory: Pick<Implemented['memory'], keyof typeof briefingCalls.memory>;
};

/** Answers calls about what proposers read. */
export function briefingHandlers(service: Service, os: Os) {
  const { ledger, announcer, now } = service;
  return {
    instructions: {
      read: os.instructions.read.handler(({ input }) =>
        readInstructions(ledger, requireStudy(ledger, input.study)),
      ),
      version: os.instructions.version.handler(async ({ input }) => ({
        text: await readInstructionsVersion(ledger, requireStudy(ledger, input.study), input.id),
      })),
      save: os.instructions.save.handler(({ input }) => {
        const study = requireOwnStudy(ledger, input.study);
        const mark = saveInstructions(ledger, study, input.text, input.base, now());
        announcer.announceMark(study.id, mark);
        return readInstructions(ledger, study);
      }),
    },
    memory: {
      read: os.memory.read.handler(({ input }) =>
        viewMemory(ledger, requireOwnStudy(ledger, input.study), now()),
      ),
      version: os.memory.version.handler(({ input }) => ({
        text: readMemoryVersion(ledger, requireOwnStudy(ledger, input.study), input.id),
      })),
      save: os.memory.save.handler(({ input: { text, base, ...input } }) => {
        const study = requireOwnStudy(ledger, input.study);
        announcer.announceMark(study.id, saveMemory(ledger, study, { author: 'you', text }, base, now()));
        return viewMemory(ledger, study, now());
      }),
      again: os.memory.again.handler(({ input }) => {
        const study = requireOwnStudy(ledger, input.study);
        const made = { author: 'pawl', text: makeMemory(ledger, study) } as const;
        announcer.announceMark(study.id, saveMemory(ledger, study, made, input.base, now()));
        return viewMemory(ledger, study, now());
      }),
    },
  };
}
