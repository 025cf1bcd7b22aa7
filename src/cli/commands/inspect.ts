import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { exportCsv, exportTsv, resultRows } from '../../engine/export/export-study.ts';
import { metricDelta } from '../../engine/export/results-tsv.ts';
import { readDiff } from '../../engine/git/diff.ts';
import { openRepository } from '../../engine/git/repository.ts';
import { LineSplitter, stripControl } from '../../engine/metrics/line-splitter.ts';
import { dataPaths, runLog } from '../../engine/paths.ts';
import { enterNumber } from '../../engine/stages/measure/await-number.ts';
import { describeOutcome } from '../../engine/stages/train/train-attempt.ts';
import { isEngineRunning, readLockHolder } from '../../engine/store/engine-lock.ts';
import { type Ledger, openLedger } from '../../engine/store/ledger.ts';
import type { RequestKind } from '../../engine/store/requests.ts';
import { PawlError } from '../../shared/errors.ts';
import { describeGuard } from '../../shared/guard.ts';
import type { Experiment, Study } from '../../shared/study.ts';
import { findStudy } from '../find-study.ts';
import { bytesText, clip, deltaText, durationText, metricText, tableText, verdictText } from '../format.ts';

type StudyFlags = { readonly repository: string; readonly tag?: string };

/** Opens the ledger for looking at a study and closes it again. */
async function withStudy(
  flags: StudyFlags,
  work: (ledger: Ledger, study: Study) => Promise<void> | void,
): Promise<void> {
  const ledger = openLedger(dataPaths(process.env).ledger);
  try {
    await work(ledger, await findStudy(ledger, flags.repository, flags.tag));
  } finally {
    ledger.close();
  }
}

export async function status(flags: StudyFlags & { readonly json?: boolean }): Promise<void> {
  const paths = dataPaths(process.env);
  const holder = isEngineRunning(paths) ? readLockHolder(paths) : null;
  await withStudy(flags, (ledger, study) => {
    const tally = ledger.experiments.tally(study.id, study.contract.metric.goal);
    const current = ledger.experiments.unfinished(study.id).at(-1) ?? null;
    if (flags.json) {
      const { tag, repositoryPath: repository, state, stopReason, stopDetail } = study;
      print(
        JSON.stringify({
          ...{ engine: holder, study: study.id, tag, repository, state, stopReason, stopDetail, tally },
          current: current && {
            n: current.n,
            phase: current.phase,
            hypothesis: current.proposal?.hypothesis ?? null,
          },
        }),
      );
      return;
    }
    print(holder ? `An engine runs: process ${holder.pid} (${holder.host}).` : 'No engine runs.');
    const why = study.stopDetail ?? study.stopReason;
    print(
      `Study ${study.tag} in ${study.repositoryPath || study.importedFrom}: ${study.state}${why ? ` (${clip(why, 600)})` : ''}`,
    );
    if (current)
      print(`#${current.n} ${current.phase}: ${current.proposal?.hypothesis ?? 'no proposal yet'}`);
    const { finished, keep, discard, crash, keepRate } = tally;
    const others = finished - keep - discard - crash;
    const other = others === 0 ? '' : `, ${others} other`;
    const rate = keepRate === null ? '' : `, keep rate ${(keepRate * 100).toFixed(1)} %`;
    print(`${finished} experiments: ${keep} keep, ${discard} discard, ${crash} crash${other}${rate}`);
    if (tally.best !== null) {
      print(
        `${study.contract.metric.name}: baseline ${metricText(tally.baseline)}, best ${metricText(tally.best)} in #${tally.bestExperiment}`,
      );
    }
  });
}

export async function results(flags: StudyFlags & { readonly format: string }): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    if (flags.format === 'tsv') process.stdout.write(exportTsv(ledger, study));
    else if (flags.format === 'csv') process.stdout.write(exportCsv(ledger, study));
    else if (flags.format === 'json') print(JSON.stringify(resultRows(ledger, study), null, 2));
    else {
      const rows = resultRows(ledger, study).map(row => [
        `#${row.experiment}`,
        row.verdict ? verdictText(row.verdict) : '',
        metricText(row.metric),
        deltaText(row.delta),
        metricText(row.best),
        durationText(row.seconds),
        row.commit?.slice(0, 7) ?? '',
        clip(row.hypothesis, 100),
      ]);
      const heading = [
        '',
        'verdict',
        study.contract.metric.name,
        'delta',
        'best so far',
        'time',
        'commit',
        'hypothesis',
      ];
      const right = 'right' as const;
      print(tableText([heading, ...rows], [right, 'left', right, right, right, right, 'left', 'left']));
    }
  });
}

export async function show(
  n: number,
  flags: StudyFlags & { readonly diff?: boolean; readonly log?: boolean; readonly series?: boolean },
): Promise<void> {
  await withStudy(flags, async (ledger, study) => {
    const experiment = ledger.experiments.get(study.id, n);
    if (!experiment) {
      const last = ledger.experiments.lastNumber(study.id);
      const known = last === null ? 'it has none yet' : `it has 0 to ${last}`;
      throw new PawlError('experiment_not_found', `There is no experiment ${n} in ${study.tag}; ${known}.`);
    }
    const isBare = !flags.diff && !flags.log && !flags.series;
    if (isBare) showSummary(ledger, study, experiment);
    if (flags.diff) await showDiff(study, experiment);
    if (flags.log) await showLog(ledger, study, experiment);
    if (flags.series) showSeries(ledger, study, experiment);
  });
}

function showSummary(ledger: Ledger, study: Study, experiment: Experiment): void {
  const { proposal, verdict } = experiment;
  const metric = study.contract.metric.name;
  const { guard, source } = verdict?.evidence ?? {};
  const lines: [string, string | null | undefined][] = [
    ['hypothesis', proposal?.hypothesis],
    ['rationale', proposal?.rationale],
    ['category', proposal?.category],
    ['phase', experiment.phase === 'recorded' ? null : experiment.phase],
    ['verdict', verdict && `${verdictText(verdict.word).trimEnd()} (${verdict.reason.replaceAll('_', ' ')})`],
    [metric, experiment.metric === null ? null : metricText(experiment.metric)],
    ['says', source],
    ['difference', deltaText(metricDelta(experiment)) || null],
    ['predicted', proposal?.predictedEffect == null ? null : deltaText(proposal.predictedEffect)],
    [study.contract.metric.memory ?? 'memory', experiment.memory === null ? null : String(experiment.memory)],
    ['guard', guard && describeGuard(guard)],
    ['parent', experiment.parentCommit],
    ['attempt', experiment.attemptCommit],
  ];
  const isOpen = ledger.runs.isContained(study.id) === false;
  print(`#${experiment.n} of ${study.tag}${isOpen ? ', whose runs are NOT CONTAINED' : ''}`);
  for (const [label, value] of lines) if (value) print(`${label.padEnd(14)} ${clip(value, 2000)}`);
  for (const line of guard?.tail ?? []) print(`${''.padEnd(14)} ${clip(line, 300)}`);
  for (const run of ledger.runs.list(study.id, experiment.n)) {
    const seconds = run.endedAt === null ? null : (run.endedAt - run.startedAt) / 1000;
    const { peakRssBytes = null, cpuSeconds = null } = run.resources ?? {};
    const parts = [
      run.outcome === null ? 'running' : run.outcome.kind === 'untold' ? '' : describeOutcome(run.outcome),
      durationText(seconds),
      peakRssBytes === null ? '' : `peak memory ${bytesText(peakRssBytes)}`,
      cpuSeconds === null ? '' : `${cpuSeconds.toFixed(1)} s of processor time`,
      run.outputBytes === null ? '' : `${bytesText(run.outputBytes)} of output`,
      run.isContained === null ? '' : run.isContained ? 'contained' : 'NOT CONTAINED',
    ];
    print(`${`run ${run.k}`.padEnd(14)} ${parts.filter(Boolean).join(', ')}`);
    if (run.crash) {
      print(`${'crash'.padEnd(14)} ${run.crash.class.replaceAll('_', ' ')}: ${clip(run.crash.message, 500)}`);
      for (const line of run.crash.tail) print(`${''.padEnd(14)} ${clip(line, 300)}`);
    }
  }
  for (const note of ledger.notes.list(study.id, experiment.n)) {
    print(`${'note'.padEnd(14)} ${new Date(note.at).toISOString()} ${clip(note.text, 2000)}`);
  }
}

async function showDiff(study: Study, experiment: Experiment): Promise<void> {
  const { parentCommit, attemptCommit } = experiment;
  if (!parentCommit || !attemptCommit) {
    throw new PawlError(
      'experiment_not_found',
      `Experiment ${experiment.n} has no attempt to show the diff of.`,
    );
  }
  if (parentCommit === attemptCommit) return print('The baseline is the code as it is: no diff.');
  const diff = await readDiff(await openRepository(study.repositoryPath), parentCommit, attemptCommit);
  process.stdout.write(process.stdout.isTTY ? diff.split('\n').map(stripControl).join('\n') : diff);
}

async function showLog(ledger: Ledger, study: Study, experiment: Experiment): Promise<void> {
  const run = ledger.runs.list(study.id, experiment.n).at(-1);
  const path = run && runLog(dataPaths(process.env), study.id, experiment.n, run.k);
  if (!path || !existsSync(path)) {
    throw new PawlError('experiment_not_found', `Experiment ${experiment.n} has no log.`);
  }
  if (!process.stdout.isTTY) return pipeline(createReadStream(path), process.stdout, { end: false });
  // On a terminal the training's control sequences would be obeyed; into a file or pipe it goes byte for byte.
  const lines = new LineSplitter(print);
  for await (const chunk of createReadStream(path)) lines.push(chunk as Buffer);
  lines.end();
}

function showSeries(ledger: Ledger, study: Study, experiment: Experiment): void {
  const run = ledger.runs.list(study.id, experiment.n).at(-1);
  const points = run ? ledger.runs.series(study.id, experiment.n, run.k) : [];
  const names = [...new Set(points.flatMap(point => [...point.values.keys()]))];
  const heading = names.map(name => (run?.units[name] ? `${name} (${run.units[name]})` : name));
  print(['seconds', ...heading].join('\t'));
  for (const { seconds, values } of points) {
    print([seconds, ...names.map(name => values.get(name) ?? '')].join('\t'));
  }
}

export async function search(words: readonly string[], flags: StudyFlags): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    const hits = ledger.notes.search(study.id, words.join(' '), 50);
    for (const hit of hits) print(`#${hit.n}  ${clip(hit.hypothesis, 160)}`);
    if (hits.length === 0) print('Nothing found.');
  });
}

export async function note(n: number, words: readonly string[], flags: StudyFlags): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    if (!ledger.experiments.get(study.id, n)) {
      throw new PawlError('experiment_not_found', `There is no experiment ${n} in ${study.tag}.`);
    }
    ledger.write(() => ledger.notes.add(study.id, n, words.join(' '), Date.now()));
  });
}

/** Enters the number of an experiment that waits for it; the engine takes it from the ledger, now or when it goes on. */
export async function measured(
  n: number,
  value: number,
  flags: StudyFlags & { readonly source: string },
): Promise<void> {
  await withStudy(flags, (ledger, study) => {
    enterNumber(ledger, study, n, { value, source: flags.source }, Date.now());
    print(`Experiment ${n} has ${study.contract.metric.name} ${metricText(value)}.`);
  });
}

/** Leaves a request for the engine that runs on this data folder. Rejects with `study_not_found` where none listens. */
export async function ask(kind: RequestKind): Promise<void> {
  const paths = dataPaths(process.env);
  if (!isEngineRunning(paths))
    throw new PawlError('study_not_found', 'No engine runs, so there is nothing to ask.');
  const holder = readLockHolder(paths);
  const ledger = openLedger(paths.ledger);
  try {
    // A terminal's engine has one sitting and is at it, or about to be; a window's also waits for one.
    const isIdle =
      holder !== null &&
      holder.host !== 'terminal' &&
      !ledger.studies.list().some(({ state }) => state === 'running' || state === 'paused');
    if (isIdle) {
      throw new PawlError(
        'study_not_found',
        `A window is open on ${paths.home} (process ${holder.pid}, ${holder.host}), and no study runs in it: begin or resume one there.`,
      );
    }
    ledger.write(() => ledger.requests.add(kind, Date.now()));
  } finally {
    ledger.close();
  }
  const said = {
    pause: 'It pauses after this experiment.',
    continue: 'It goes on.',
    stop: 'It stops after this experiment.',
    stop_now: 'It stops now.',
  };
  print(said[kind]);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
