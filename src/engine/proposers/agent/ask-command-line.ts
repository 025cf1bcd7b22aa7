import { runProcess } from '../../process/run-process.ts';
import type { ProposerContext } from '../proposer.ts';
import { isVain } from './failure.ts';
import type { Answered, Launch } from './launch.ts';
import { type AgentOutput, type AgentProgram, type CommandLine, parseLine, type Sign } from './program.ts';

/** Runs an agent once, with the prompt on stdin, and reads the JSON lines it prints. */
export async function askCommandLine(
  program: AgentProgram,
  how: CommandLine,
  launch: Launch,
  context: Pick<ProposerContext, 'marker' | 'signal'>,
): Promise<Answered> {
  let last: Sign | null = null;
  const result = await runProcess(
    {
      ...launch.process,
      argv: [...launch.behind, program.program, ...how.argv(launch.asked)] as [string, ...string[]],
      input: launch.prompt,
      onLine: line => {
        const sign = how.watch(line);
        if (!sign) return false;
        last = sign;
        launch.onThought(`${program.title} ${sign.says}`);
        // Trouble that only the user can fix is not retried for minutes.
        return isVain(program, sign);
      },
    },
    context,
  );
  const lines = result.stdout.split('\n').map(parseLine);
  const output = how.read(lines.filter(line => line !== null));
  return { result, output: output.isComplete ? output : withSign(output, last) };
}

/** If a program ended while it was retrying, the trouble that it retried is the reason. */
export function withSign(output: AgentOutput, sign: Sign | null): AgentOutput {
  if (!sign || output.error !== null) return output;
  return { ...output, error: `it ${sign.says}`, status: sign.status };
}
