import { dataPaths } from '../../engine/paths.ts';
import { assessStudy } from '../../engine/stages/judge/assess-study.ts';
import { studyBudget } from '../../engine/stages/judge/study-budget.ts';
import { isEngineRunning, readLockHolder } from '../../engine/store/engine-lock.ts';
import { describeBudget } from '../../shared/contract/budget.ts';
import { formatPercent } from '../../shared/numbers.ts';
import { phaseWord } from '../../shared/phases.ts';
import { STOP_WORDS } from '../../shared/study.ts';
import { countTried, describeTried } from '../../shared/tried.ts';
import { describeClaims } from '../../shared/verdicts/claims.ts';
import { clip, metricText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withStudy } from '../with-study.ts';

export async function status(flags: StudyFlags & { readonly json?: boolean }): Promise<void> {
  const paths = dataPaths(process.env);
  const holder = isEngineRunning(paths) ? readLockHolder(paths) : null;
  await withStudy(flags, (ledger, study) => {
    const tally = ledger.experiments.tally(study.id, study.contract.metric.goal);
    const claims = assessStudy(ledger, study);
    const current = ledger.experiments.unfinished(study.id).at(-1) ?? null;
    if (flags.json) {
      const { tag, repositoryPath: repository, state, stopReason, stopDetail } = study;
      print(
        JSON.stringify({
          ...{
            engine: holder,
            study: study.id,
            tag,
            repository,
            state,
            stopReason,
            stopDetail,
            tally,
            claims,
          },
          current: current && {
            n: current.n,
            phase: current.phase,
            whyWaiting: current.whyWaiting,
            hypothesis: current.proposal?.hypothesis ?? null,
          },
        }),
      );
      return;
    }
    print(holder ? `An engine runs: process ${holder.pid} (${holder.host}).` : 'No engine runs.');
    const why = study.stopDetail ?? (study.stopReason && STOP_WORDS[study.stopReason]);
    print(
      `Study ${study.tag} in ${study.repositoryPath || study.importedFrom}: ${study.state}${why ? ` (${clip(why, 600)})` : ''}`,
    );
    if (current) {
      const { n, phase, proposal, whyWaiting } = current;
      print(`#${n} ${phaseWord(phase)}: ${proposal?.hypothesis ?? 'no proposal yet'}`);
      if (whyWaiting !== null) print(`   ${clip(whyWaiting, 600)}`);
    }
    const rate = tally.keepRate === null ? '' : `, keep rate ${formatPercent(tally.keepRate, 1)}`;
    print(`${describeTried(countTried(tally))}${rate}`);
    if (tally.best !== null) {
      print(
        `${study.contract.metric.name}: baseline ${metricText(tally.baseline)}, best ${metricText(tally.best)} in #${tally.bestExperiment}`,
      );
    }
    for (const line of claims ? describeClaims(claims) : []) print(line);
    // For imported runs the budget is unknown.
    if (tally.baseline !== null && study.state !== 'imported')
      print(describeBudget(studyBudget(study, ledger), study.contract.budget));
  });
}
