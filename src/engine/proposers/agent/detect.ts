import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AgentStatus } from '../../../shared/proposer-calls.ts';
import { AGENT_NAMES } from '../../../shared/study.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import { ADAPTERS } from './adapters.ts';

const VERSION_MS = 10_000;

/** Which agents are there, in which version, and whether a sign-in can be seen. Nothing is asked of a network. */
export function detectAgents(environment: NodeJS.ProcessEnv): Promise<readonly AgentStatus[]> {
  const home = environment.HOME || homedir();
  return Promise.all(
    AGENT_NAMES.map(async agent => {
      const { title, program, signIn } = ADAPTERS[agent];
      const version = await promisify(execFile)(program, ['--version'], {
        env: environment,
        timeout: VERSION_MS,
        killSignal: 'SIGKILL',
      }).then(
        ({ stdout }) => stripControl(stdout.trim().split('\n').at(-1) ?? '').slice(0, 80) || null,
        () => null,
      );
      const found = await Promise.all(
        signIn.files.map(file =>
          access(join(home, file)).then(
            () => true,
            () => false,
          ),
        ),
      );
      const isSignedIn = found.includes(true) || signIn.variables.some(name => Boolean(environment[name]));
      return { agent, title, version, isSignedIn };
    }),
  );
}
