import type { implement } from '@orpc/server';
import type { jobCalls } from '../../shared/calls/job-calls.ts';
import { giveUpJobs, listJobs } from '../session/jobs/known-jobs.ts';
import type { Service } from './service.ts';

type Implemented = ReturnType<typeof implement<typeof jobCalls>>;

/** What the router answers to the calls of `jobCalls`. */
export function jobHandlers(service: Service, os: Pick<Implemented, keyof typeof jobCalls>) {
  const { ledger } = service;
  const { paths } = service.options;
  return {
    list: os.list.handler(() => listJobs(ledger, true)),
    giveUp: os.giveUp.handler(async ({ input }) => {
      await giveUpJobs([input.id], { ledger, paths, isEngineRunning: true });
    }),
  };
}
