import { describe, expect, test } from 'vitest';
import { type AgentRecording, readRecording, writeRecording } from '../support/agent-recordings.ts';
import { failuresOf, LIMIT_SECONDS } from './failures.ts';
import { TRIED } from './place.ts';
import programs from './programs.json' with { type: 'json' };
import { record } from './record.ts';

/**
 * What each real program does in each way it can fail, held against what is recorded in `test/fixtures/agents`.
 * `PAWL_WRITE_DOCS=1` records.
 */

describe.each(TRIED)('%s', agent => {
  test.each(failuresOf(agent))('$name', async failure => {
    const seen = await record(agent, failure, LIMIT_SECONDS);
    if (process.env.PAWL_WRITE_DOCS) {
      const asked = { agent, failure: failure.name, guess: failure.guess, limitSeconds: LIMIT_SECONDS };
      await writeRecording({ version: programs[agent].version, ...asked, ...seen });
      return;
    }
    const known = await readRecording(agent, failure.name);
    // What took longer than is waited for here cannot be compared to its end.
    if (seen.isStillTrying) expect(known.isStillTrying || known.seconds > LIMIT_SECONDS / 2).toBe(true);
    else {
      const [now, then] = [endOf(seen), endOf(known)];
      const words = seen.stdout + seen.stderr;
      if (failure.ending) {
        const { exitCode, signal, kinds } = then;
        expect(now, words).toMatchObject({ exitCode, signal });
        // On a busy machine the signal comes before some of the lines.
        expect(kinds, words).toEqual(expect.arrayContaining(now.kinds));
      } else expect(now, words).toEqual(then);
      // What a wrapper that is killed leaves behind may end by itself.
      if (known.left.length === 0) expect(seen.left).toEqual([]);
    }
  });
});

/** What tells one end from another: how it ended, and which kinds of lines it ended with. */
function endOf({ stdout, exitCode, signal }: Pick<AgentRecording, 'stdout' | 'exitCode' | 'signal'>) {
  const kinds = stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => String((JSON.parse(line) as { type?: unknown }).type));
  return { exitCode, signal, kinds: [...new Set(kinds)].sort(), last: kinds.at(-1) };
}
