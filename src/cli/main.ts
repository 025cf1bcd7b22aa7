import { Command, CommanderError } from 'commander';
import { REPORT_FORMATS } from '../shared/debrief/debrief.ts';
import { PawlError } from '../shared/errors.ts';
import { SAMPLE_NAMES } from '../shared/samples.ts';
import { AUDIT_RUNS } from '../shared/verdicts/claims.ts';
import { METRIC_CHECK_HOURS, METRIC_CHECK_RUNS } from '../shared/verdicts/metric-check.ts';
import { VERSION } from '../shared/version.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { clip } from './format.ts';
import { between, count, finite, list, numbers, oneOf, positive, whole } from './option-values.ts';
import { contractOptions, sittingOptions, studyOption } from './options.ts';
import {
  chooseRepository,
  type RepositoryFlag,
  repositoryArgument,
  repositoryOption,
} from './repository-argument.ts';

/** Messages may quote text from a repository or a table. */
const MESSAGE_CHARACTERS = 2_000;

/** Modules that only one command needs are loaded when it is called, because loading delays every start. */
const load = {
  ask: () => import('./commands/ask.ts'),
  demo: () => import('./commands/demo.ts'),
  doctor: () => import('./commands/doctor.ts'),
  exchange: () => import('./commands/exchange.ts'),
  harden: () => import('./commands/harden.ts'),
  ideas: () => import('./commands/ideas.ts'),
  jobs: () => import('./commands/jobs.ts'),
  mcp: () => import('./commands/mcp.ts'),
  measured: () => import('./commands/measured.ts'),
  memory: () => import('./commands/memory.ts'),
  notes: () => import('./commands/notes.ts'),
  notify: () => import('./commands/notify.ts'),
  report: () => import('./commands/report.ts'),
  results: () => import('./commands/results.ts'),
  run: () => import('./commands/run.ts'),
  serve: () => import('./commands/serve.ts'),
  show: () => import('./commands/show.ts'),
  stack: () => import('./commands/stack.ts'),
  status: () => import('./commands/status.ts'),
};

const program = new Command('pawl')
  .description(
    "Runs Karpathy's loop on your own machine: propose, train, measure, keep or discard, all night.",
  )
  .version(VERSION)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .showSuggestionAfterError();

sittingOptions(
  contractOptions(repositoryArgument(program.command('run')))
    .description('start a study in a repository and run it')
    .option('--tag <tag>', 'name of the study; its branch is autoresearch/<tag>')
    .option('--budget <seconds>', 'how long the training is expected to take', positive)
    .option('--prune', 'end runs that can no longer reach the best')
    .option('--trust-setup', 'agree to the current set-up command; do not ask'),
).action(async (path, { repository, ...flags }) => {
  const { run } = await load.run();
  await run(chooseRepository(path, { repository }), flags);
});

sittingOptions(
  repositoryArgument(program.command('resume'))
    .description('continue a study that was stopped, interrupted or paused')
    .option('--tag <tag>', 'which study; default: the latest of the repository')
    .option('--auto', 'proposals no longer wait for approval'),
).action(async (path, { repository, ...flags }) => {
  const { resume } = await load.run();
  await resume(chooseRepository(path, { repository }), flags);
});

repositoryArgument(program.command('audit'))
  .description(
    'train the baseline and the kept commits again, to say how sure the gains are; nothing new is tried',
  )
  .option('--tag <tag>', 'which study; default: the latest of the repository')
  .option('--runs <number>', 'maximum number of trainings', count, AUDIT_RUNS)
  .option('--uncontained', 'let code from models run without a sandbox on this machine, from now on')
  .option('--json', 'print events as JSON lines')
  .action(async (path, { repository, ...flags }) => {
    const { audit } = await load.run();
    await audit(chooseRepository(path, { repository }), flags);
  });

/** The flags, with the repository from the argument or the option. */
function at<F extends RepositoryFlag>(
  path: string | undefined,
  flags: F,
): F & { readonly repository: string } {
  return { ...flags, repository: chooseRepository(path, flags) };
}

studyOption(
  repositoryArgument(program.command('status')).description(
    'show what is running, and the state of the latest study',
  ),
)
  .option('--json', 'as JSON')
  .action(async (path, flags) => (await load.status()).status(at(path, flags)));

studyOption(repositoryArgument(program.command('results')).description('print the experiments of a study'))
  .option('--format <format>', 'table, tsv, csv or json', oneOf('table', 'tsv', 'csv', 'json'), 'table')
  .action(async (path, flags) => (await load.results()).results(at(path, flags)));

studyOption(
  repositoryArgument(program.command('report')).description(
    'what a study was worth: what was tried, what worked, what to do next',
  ),
)
  .option(
    '--format <format>',
    'md, html (one file that stands alone) or json',
    oneOf(...REPORT_FORMATS),
    'md',
  )
  .option('--sitting <which>', 'only one sitting: "last", or its number from 1 on')
  .option('--diffs', 'with the diff of each idea that was kept')
  .option('--summarise', "let the study's model write a summary first, within its spending caps")
  .option('-o, --output <file>', 'write it to this file')
  .action(async (path, flags) => (await load.report()).report(at(path, flags)));

studyOption(
  repositoryArgument(program.command('stack')).description(
    'show what a study kept as a stack of commits, and take it to git: a branch, patches, the text of a pull request',
  ),
)
  .option('--drop <numbers>', 'leave these experiments out; separated by commas, or repeated', numbers)
  .option('--order <numbers>', 'these experiments first, in this order, then the others', numbers)
  .option('--branch <name>', 'make this branch of it; nothing is checked out')
  .option('--patches <folder>', 'write numbered patches into this folder; - prints them for "git am"')
  .option('--pr <file>', 'write title and text of a pull request to this file; - prints them')
  .option('--sign-off', 'sign off each commit as git is set up')
  .option(
    '--without <numbers>',
    'add the stack without each of these experiments to the queue of ideas, to see what it is worth',
    numbers,
  )
  .option('--json', 'as JSON')
  .action(async (path, flags) => (await load.stack()).stack(at(path, flags)));

studyOption(
  repositoryArgument(program.command('show').argument('<n>', 'number of the experiment', whole)).description(
    'show one experiment: hypothesis, verdict, numbers',
  ),
)
  .option('--diff', 'the diff against its incumbent')
  .option('--log', 'the output of its last run, as it was printed')
  .option('--series', 'its progress values as tab-separated columns')
  .action(async (n, path, flags) => (await load.show()).show(n, at(path, flags)));

studyOption(
  repositoryOption(program.command('search'))
    .description('find experiments by words in their hypotheses, rationales and notes')
    .argument('<words...>'),
).action(async (words, flags) => (await load.notes()).search(words, at(undefined, flags)));

studyOption(
  repositoryOption(program.command('note'))
    .description('write a note on an experiment')
    .argument('<n>', 'number of the experiment', whole)
    .argument('<words...>'),
).action(async (n, words, flags) => (await load.notes()).note(n, words, at(undefined, flags)));

studyOption(
  repositoryOption(program.command('propose'))
    .description("add an idea to a study's queue: words for a proposer that can read, or an edit")
    .argument('<words...>'),
)
  .option('--why <words>', 'the rationale')
  .option('--expect <number>', 'the expected change of the metric; negative is lower', finite)
  .option('--category <word>', 'the kind of idea')
  .option(
    '--file <path>',
    "a file of the edit, with its content from the checkout; path=file takes another file's content; separated by commas, or repeated",
    list,
  )
  .option('--again <n>', 'the edit of this experiment, on the incumbent at that time', whole)
  .action(async (words, flags) => (await load.ideas()).propose(words, at(undefined, flags)));

studyOption(repositoryArgument(program.command('ideas')).description('show the queue of a study'))
  .option('--drop <id>', 'remove an idea from the queue', whole)
  .option('--first <id>', 'put an idea first', whole)
  .option('--json', 'as JSON')
  .action(async (path, flags) => (await load.ideas()).ideas(at(path, flags)));

studyOption(
  repositoryArgument(program.command('memory')).description(
    "print what a study's proposers read about earlier studies, or change it",
  ),
)
  .option('--edit <file>', "use this file's text from now on")
  .option('--clear', 'tell them nothing')
  .option('--again', 'write it again from the current state of the other studies')
  .action(async (path, flags) => (await load.memory()).memory(at(path, flags)));

studyOption(
  repositoryArgument(
    program
      .command('measured')
      .argument('<n>', 'number of the experiment', whole)
      .argument('<value>', 'what was measured', finite),
  ).description('enter the number that an experiment is waiting for'),
)
  .requiredOption('--source <words>', 'where the number comes from')
  .action(async (n, value, path, flags) => (await load.measured()).measured(n, value, at(path, flags)));

program
  .command('import')
  .description('import results from elsewhere as a read-only study')
  .argument('<file>')
  .option('--tag <tag>', 'name of the study; default: the file name')
  .option('--metric <name>', 'the column that holds the metric; default: recognised by the column headers')
  .option(
    '--goal <goal>',
    'minimize or maximize; default: recognised from the file, the name of the metric, or the kept rows',
    oneOf('minimize', 'maximize'),
  )
  .action(async (file, flags) => (await load.exchange()).importCommand(file, flags));

studyOption(
  repositoryArgument(program.command('export')).description('write everything the ledger has about a study'),
)
  .option('--format <format>', 'json (with the series), csv or tsv', oneOf('json', 'csv', 'tsv'), 'json')
  .option('-o, --output <file>', 'default: stdout')
  .action(async (path, flags) => (await load.exchange()).exportCommand(at(path, flags)));

program
  .command('stop')
  .description('ask the running engine to stop after this experiment')
  .option('--now', 'stop at once; the experiment in flight can be run again')
  .option('--run <n>', 'end only what is trained of experiment n now, and go on', whole)
  .action(async ({ now, run }: { now?: boolean; run?: number }) => {
    const { ask } = await load.ask();
    await ask(run === undefined ? { kind: now ? 'stop_now' : 'stop' } : { kind: 'stop_run', n: run });
  });
program
  .command('pause')
  .description('ask the running engine to pause after this experiment; "pawl resume" continues')
  .action(async () => (await load.ask()).ask({ kind: 'pause' }));

program
  .command('jobs')
  .description('list the jobs on other machines that may still run, of all studies')
  .option(
    '--give-up <id>',
    'no longer ask for this job, because its machine is gone for good; repeatable',
    list,
  )
  .option('--json', 'as JSON')
  .action(async flags => (await load.jobs()).jobs(flags));

program
  .command('notify')
  .description('tell you elsewhere what happens at night: a webhook, ntfy, or a Slack-style address')
  .option('--webhook <url>', 'post JSON to this address')
  .option('--ntfy <url>', 'the address of a topic, as in https://ntfy.sh/my-topic')
  .option('--slack <url>', 'an incoming webhook of Slack, Mattermost or Discord (with /slack at its end)')
  .option('--token-env <name>', 'the environment variable that holds the token of the server')
  .option('--events <names>', 'new_best, study_ended, crashes, attention; default: all', list)
  .option('--diff', 'send the diff of a new best along')
  .option('--log', 'send the end of the log along when runs crash')
  .option('--yes', 'switch it on; do not ask')
  .option('--test', 'send a test message')
  .option('--off', 'switch it off')
  .action(async flags => (await load.notify()).notify(flags));

program
  .command('serve')
  .description('serve the window to a browser on this machine, also through an ssh tunnel')
  .option('--port <number>', 'port on the loopback address; 0 is any free one', whole, 8642)
  .option('--open', 'open it in the browser of this machine')
  .action(async flags => (await load.serve()).serve(flags));

program
  .command('mcp')
  .description('serve studies to agents in their own terminals, over the Model Context Protocol')
  .option(
    '--install <agent>',
    'print the entry for claude, codex, gemini or opencode',
    oneOf('claude', 'codex', 'gemini', 'opencode'),
  )
  .option('--write', "write the entry into the agent's settings")
  .action(async flags => (await load.mcp()).mcp(flags));

contractOptions(repositoryArgument(program.command('doctor')), [
  '--metric [name]',
  'without a name: train the code a few times and say whether its metric is worth a night; with a name: the number that counts',
])
  .description('check everything a study needs, and say how to fix what is missing')
  .option(
    '--runs <number>',
    `with --metric: how often the unchanged code is trained (${METRIC_CHECK_RUNS.usual})`,
    between(METRIC_CHECK_RUNS.least, METRIC_CHECK_RUNS.most),
  )
  .option('--hours <number>', `with --metric: how long the night will be (${METRIC_CHECK_HOURS})`, positive)
  .option('--no-break', 'with --metric: skip the run in which a constant is broken on purpose')
  .option('--gpu <name>', 'with --metric: which GPU trains, as in "run"')
  .option('--trust-setup', 'with --metric: agree to the current set-up command; do not ask')
  .option('--tag <tag>', 'also check that this name is free')
  .option('--save', 'write what was found to pawl.toml in the checkout, if there is none')
  .option('--json', 'as JSON')
  .action(async (path, { repository, ...flags }) => {
    const { doctor, isInRepository } = await load.doctor();
    // If the option's value is one of the user's folders, it is the repository, not a metric's name.
    const named = path === undefined && typeof flags.metric === 'string' ? flags.metric : '';
    const isPath = /^[./]/.test(named) || (named.includes('/') && (await isInRepository(named)));
    const given = isPath
      ? { path: String(flags.metric), metric: true as const }
      : { path, metric: flags.metric };
    await doctor(chooseRepository(given.path, { repository }), { ...flags, metric: given.metric });
  });

repositoryArgument(program.command('harden'))
  .description(
    'for a repository like autoresearch: commit a scorer that runs outside the training to the branch pawl/harden',
  )
  .option(
    '--held-out <file>',
    'score with this shard (an absolute path or one that begins with "~/"); no training can then read it',
  )
  .option('--dry-run', 'print the diff and change nothing')
  .option('--force', "replace an existing branch pawl/harden if its last commit is Pawl's")
  .option('--json', 'as JSON')
  .action(async (path, { repository, ...flags }) => {
    const { harden } = await load.harden();
    await harden(chooseRepository(path, { repository }), flags);
  });

sittingOptions(
  program
    .command('demo')
    .description('copy a sample project to a fresh repository and run a few experiments on it')
    .option(
      '--sample <name>',
      `${SAMPLE_NAMES.slice(0, -1).join(', ')}, or nano-gpt, which needs PyTorch`,
      oneOf(...SAMPLE_NAMES),
    )
    .option('--into <folder>', 'where to put it; default: a new temporary folder'),
).action(async flags => (await load.demo()).demo(flags));

// A reader that closes the pipe early (`| head`) must not end a study.
process.stdout.on('error', error => {
  if (error.code !== 'EPIPE') throw error;
});

program.parseAsync().catch(error => {
  process.exitCode = report(error);
});

/** Prints what went wrong and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof PawlError) {
    console.error(`pawl: ${clip(error.message, MESSAGE_CHARACTERS)}`);
    if (error.code === 'internal') console.error(error.cause);
    return exitCodeOf(error.code);
  }
  if ((error as { code?: unknown }).code === 'EPIPE') return EXIT.done;
  console.error(error);
  return EXIT.failed;
}
