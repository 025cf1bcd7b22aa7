import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { metricDelta } from '../../engine/export/results-tsv.ts';
import { readDiff } from '../../engine/git/diff.ts';
import { openRepository } from '../../engine/git/repository.ts';
import { LineSplitter, stripControl } from '../../engine/metrics/line-splitter.ts';
import { dataPaths, runLog } from '../../engine/paths.ts';
import { assessStudy } from '../../engine/stages/judge/assess-study.ts';
import { describeOutcome } from '../../engine/stages/train/ended-run.ts';
import type { Ledger } from '../../engine/store/ledger.ts';
import { PawlError } from '../../shared/errors.ts';
import { formatBytes, formatSeconds } from '../../shared/numbers.ts';
import { phaseWord } from '../../shared/phases.ts';
import type { Experiment, Study } from '../../shared/study.ts';
import { lastTrial } from '../../shared/study.ts';
import { claimWords } from '../../shared/verdicts/claims.ts';
import { describeEarlyEnd } from '../../shared/verdicts/early-end.ts';
import { describeGuard } from '../../shared/verdicts/guard.ts';
import { describeLate } from '../../shared/verdicts/late.ts';
import { describeHints, describeProbe, isProbeReason } from '../../shared/verdicts/probes.ts';
import { reasonWords } from '../../shared/verdicts/reason-words.ts';
import { describeRollBack, describeTakenWith } from '../../shared/verdicts/repeats.ts';
import { trustOf } from '../../shared/verdicts/trust.ts';
import { clip, deltaText, durationText, metricText, verdictText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

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
  const { guard, source, rolledBack, takenBackWith, probe, hints } = verdict?.evidence ?? {};
  const { record } = experiment;
  const claim = assessStudy(ledger, study)?.keeps.find(keep => keep.n === experiment.n);
  const { isAudited = false, supersededBy = null } = ledger.cells.get(study.id, experiment.n) ?? {};
  const lines: [string, string | null | undefined][] = [
    ['hypothesis', proposal?.hypothesis],
    ['rationale', proposal?.rationale],
    ['category', proposal?.category],
    ['phase', experiment.phase === 'recorded' ? null : phaseWord(experiment.phase)],
    ['waits', experiment.whyWaiting],
    [
      'verdict',
      verdict && `${verdictText(verdict.word).trimEnd()} (${reasonWords({ reason: verdict.reason, guard })})`,
    ],
    [metric, experiment.metric === null ? null : metricText(experiment.metric)],
    ['mean', record && record.runs > 1 ? `${metricText(record.mean)} of ${record.runs} runs` : null],
    ['claim', claim && claimWords(claim)],
    [
      'taken back',
      rolledBack && describeRollBack({ ...rolledBack, n: experiment.n, parent: rolledBack.parentExperiment }),
    ],
    ['taken back', takenBackWith === undefined ? null : describeTakenWith(takenBackWith)],
    [
      'probe',
      probe && verdict && isProbeReason(verdict.reason) ? describeProbe(verdict.reason, probe) : null,
    ],
    ['hints', hints && describeHints(hints)],
    ['says', source],
    ['difference', deltaText(metricDelta(experiment)) || null],
    ['predicted', proposal?.predictedEffect == null ? null : deltaText(proposal.predictedEffect)],
    [study.contract.metric.memory ?? 'memory', experiment.memory === null ? null : String(experiment.memory)],
    ['guard', guard && describeGuard(guard)],
    ['ended early', verdict && describeEarlyEnd(verdict.evidence)],
    ['late', verdict && describeLate(verdict.evidence, experiment.otherLine !== null)],
    [
      'superseded',
      supersededBy === null ? null : `by #${supersededBy}, whose code does not contain its edit`,
    ],
    ['parent', experiment.parentCommit],
    ['attempt', experiment.attemptCommit],
  ];
  const isOpen = ledger.runs.isContained(study.id) === false;
  print(`#${experiment.n} of ${study.tag}${isOpen ? '; its runs are NOT CONTAINED' : ''}`);
  for (const [label, value] of lines) if (value) print(`${label.padEnd(14)} ${clip(value, 2000)}`);
  for (const line of guard?.tail ?? []) print(`${''.padEnd(14)} ${clip(line, 300)}`);
  for (const run of ledger.runs.list(study.id, experiment.n)) {
    const seconds = run.endedAt === null ? null : (run.endedAt - run.startedAt) / 1000;
    const { peakRssBytes = null, cpuSeconds = null } = run.resources ?? {};
    const parts = [
      run.purpose === null ? '' : `trained again (${run.purpose})`,
      run.value === null ? '' : metricText(run.value),
      run.outcome === null ? 'running' : run.outcome.kind === 'untold' ? '' : describeOutcome(run.outcome),
      durationText(seconds),
      peakRssBytes === null ? '' : `peak memory ${formatBytes(peakRssBytes)}`,
      cpuSeconds === null ? '' : `${formatSeconds(cpuSeconds, 1)} of processor time`,
      run.outputBytes === null ? '' : `${formatBytes(run.outputBytes)} of output`,
      run.isContained === null ? '' : run.isContained ? 'contained' : 'NOT CONTAINED',
      run.isContained !== null && (study.contract.score || isAudited)
        ? trustOf(study.contract, run.isContained, isAudited)
        : '',
    ];
    print(`${`run ${run.k}`.padEnd(14)} ${parts.filter(Boolean).join(', ')}`);
    if (run.crash) {
      print(
        `${'crash'.padEnd(14)} ${run.crash.class.replaceAll('_', ' ')}: ${clip(run.crash.message, 2000)}`,
      );
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
      `Experiment ${experiment.n} has no attempt, so there is no diff.`,
    );
  }
  if (parentCommit === attemptCommit) return print('The baseline is the unchanged code: no diff.');
  const diff = await readDiff(await openRepository(study.repositoryPath), parentCommit, attemptCommit);
  process.stdout.write(process.stdout.isTTY ? diff.split('\n').map(stripControl).join('\n') : diff);
}

async function showLog(ledger: Ledger, study: Study, experiment: Experiment): Promise<void> {
  const run = lastTrial(ledger.runs.list(study.id, experiment.n));
  const path = run && runLog(dataPaths(process.env), study.id, experiment.n, run.k);
  if (!path || !existsSync(path)) {
    throw new PawlError('experiment_not_found', `Experiment ${experiment.n} has no log.`);
  }
  if (!process.stdout.isTTY) return pipeline(createReadStream(path), process.stdout, { end: false });
  // A terminal would obey the training's control sequences, so they are removed there; a file or pipe gets the exact
  // bytes.
  const lines = new LineSplitter(print);
  for await (const chunk of createReadStream(path)) lines.push(chunk as Buffer);
  lines.end();
}

function showSeries(ledger: Ledger, study: Study, experiment: Experiment): void {
  const run = lastTrial(ledger.runs.list(study.id, experiment.n));
  const points = run ? ledger.runs.series(study.id, experiment.n, run.k) : [];
  const names = [...new Set(points.flatMap(point => [...point.values.keys()]))];
  const heading = names.map(name => (run?.units[name] ? `${name} (${run.units[name]})` : name));
  print(['seconds', ...heading].join('\t'));
  for (const { seconds, values } of points) {
    print([seconds, ...names.map(name => values.get(name) ?? '')].join('\t'));
  }
}
