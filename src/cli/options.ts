import type { Command } from 'commander';
import { AGENT_NAMES, EFFORTS, SEARCH_STRATEGIES } from '../shared/proposers/proposers.ts';
import { OTHER_LINES } from '../shared/study.ts';
import { count, finite, lanes, list, oneOf, positive, whole } from './option-values.ts';

/** The options of every sitting. */
export function sittingOptions(command: Command): Command {
  return command
    .option('-n, --experiments <count>', 'stop after this many experiments besides the baseline', whole)
    .option('--deadline <when>', 'start no experiment after this: "07:30", "8h" or an ISO time')
    .option('--target <value>', 'stop when the metric is at least this good', finite)
    .option('--patience <count>', 'stop after this many experiments without a gain', count)
    .option('--max-crashes <count>', 'stop after this many crashes in a row', count)
    .option('--limit <seconds>', 'end a run after this long', positive)
    .option('--gpu <name>', 'which GPU trains: its number, its UUID, or the UUID of a MIG instance')
    .option(
      '--lanes <list>',
      'train several experiments at once: a number, "cpu:4", "gpu:0,gpu:1", "gpu:all", "slurm:8", "ssh:HOST" or "ssh:HOST/gpu:0"',
      lanes,
    )
    .option(
      '--cluster <engine>',
      'with --lanes 8: as many jobs of the cluster that is set up',
      oneOf('slurm'),
    )
    .option(
      '--other-lines <when>',
      'start one proposal in three from an experiment that the branch left: off (the default), plateau or always',
      oneOf(...OTHER_LINES),
    )
    .option(
      '--proposer <kind>',
      'search, command, patches, model or agent',
      oneOf('search', 'command', 'patches', 'model', 'agent'),
    )
    .option('--seed <number>', 'seed of the search', whole)
    .option(
      '--strategy <name>',
      'how the search chooses: gaussian-process (the default) or ladder',
      oneOf(...SEARCH_STRATEGIES),
    )
    .option('--command <line>', 'what the command proposer runs')
    .option('--proposer-timeout <seconds>', 'how long the command or the agent may take', positive)
    .option('--patches <folder>', 'folder of the patches proposer')
    .option('--agent <name>', `an agent proposes: ${AGENT_NAMES.join(', ')}, or one from your settings.toml`)
    .option('--model <name>', 'which model proposes; its key is read from ANTHROPIC_API_KEY')
    .option('--effort <level>', 'how hard the model thinks', oneOf(...EFFORTS))
    .option('--base-url <url>', "a server that speaks Anthropic's Messages API")
    .option('--keyless', 'the server needs no key')
    .option(
      '--max-cost <dollars>',
      'make no model call that could exceed this amount for the whole study',
      positive,
    )
    .option('--uncontained', 'let code from models run without a sandbox on this machine, from now on')
    .option(
      '--fallback [who]',
      'who proposes while a model or an agent cannot: search (the default) or none; without a value, the search is also asked whenever a proposer has nothing to offer',
      oneOf('search', 'none'),
    )
    .option('--alternate', 'let the proposer and the search take turns, to compare them')
    .option('--json', 'one event per line on stdout instead of the live view');
}

/** The user's choices that override the repository. */
export function contractOptions(
  command: Command,
  metric: readonly [flags: string, description: string] = [
    '--metric <name>',
    'the number that counts, as the output spells it',
  ],
): Command {
  return command
    .option('--editable <paths>', 'which files may be edited; separated by commas, or repeated', list)
    .option(
      '--locked <paths>',
      'which files are compared before and after each run; separated by commas, or repeated',
      list,
    )
    .option('--train <line>', 'the command that trains')
    .option(...metric)
    .option('--goal <goal>', 'minimize or maximize', oneOf('minimize', 'maximize'));
}

/** The option that chooses a study of the repository to look at. */
export function studyOption(command: Command): Command {
  return command.option(
    '--tag <tag>',
    'which study; default: the latest of the repository, else the latest of all',
  );
}
