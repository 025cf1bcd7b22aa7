import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { eventsOf, sitting } from './pawl.ts';
import { contractFile } from './scaffold.ts';
import { type Night, prepareNight, rowsOf, TAG } from './study.ts';
import { logPath } from './trainers.ts';

/** Contract lines for trainings that run contained or not at all. */
export const IN_SANDBOX = '[sandbox]\nmode = "required"\n';

/** Environment of a pawl that follows only the contract. */
export const BY_CONTRACT = { PAWL_SANDBOX: undefined };

/** A line of a script that reports whether a command succeeds. */
export const can = (name: string, command: string) =>
  `if (${command}) >/dev/null 2>&1; then say ${name} yes; else say ${name} no; fi`;

export type SayingNight = Night & {
  readonly code: number | null;
  readonly verdicts: readonly string[];
  /** How often the environment was set up. */
  readonly setUps: number;
  /** What experiment `n` said, each entry as `name word`. */
  said(n: number): Promise<readonly string[]>;
};

/** A study whose trainings run `script` contained; `say name word` in it records something. */
export async function sayingNight(
  script: readonly string[],
  options: {
    readonly experiments?: number;
    readonly setUp?: string;
    readonly train?: string;
    /** Lines for its `[sandbox]`. */
    readonly sandbox?: string;
    readonly files?: Readonly<Record<string, string>>;
    readonly repository?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** The variables in `env` that the training may see. */
    readonly seen?: readonly string[];
    /** Runs after the repository is made and before the study. */
    readonly before?: (repository: string) => Promise<void>;
  } = {},
): Promise<SayingNight> {
  const {
    experiments = 0,
    setUp,
    train,
    sandbox = '',
    files = {},
    repository,
    env = {},
    seen = [],
  } = options;
  const more = [
    ...(setUp === undefined ? [] : [`setup = ${JSON.stringify(setUp)}`]),
    ...(seen.length === 0 ? [] : [`environment = ${JSON.stringify(seen)}`]),
  ].join('\n');
  const night = await prepareNight({
    trainer: ['LR=2', 'say() { echo "said $1 $2"; }', ...script, 'echo "val_bpb: $LR"\n'].join('\n'),
    contract: `${contractFile({ more, ...(train === undefined ? {} : { train }) })}\n${IN_SANDBOX}${sandbox}`,
    files,
    ...(repository === undefined ? {} : { repository }),
  });
  await options.before?.(night.repository);
  const args = ['run', night.repository, '--tag', TAG, '-n', String(experiments), '--trust-setup'];
  const { code, stderr, events } = await sitting(args, { home: night.home, env: { ...BY_CONTRACT, ...env } });
  expect(stderr).toBe('');
  const { studyId } = rowsOf(night.home);
  return {
    ...{ ...night, code },
    verdicts: eventsOf(events, 'verdict').map(({ verdict, reason }) => `${verdict} ${reason}`),
    setUps: eventsOf(events, 'setup_finished').length,
    async said(n) {
      const log = await readFile(logPath(night.home, studyId, n), 'utf8');
      return [...log.matchAll(/^said (.*)$/gm)].map(([, words = '']) => words);
    },
  };
}
