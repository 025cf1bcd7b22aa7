import { noiseBand } from '../../shared/charts/noise-band.ts';
import type { ProgressClaim } from '../../shared/charts/progress-model.ts';
import { progressSvg } from '../../shared/charts/progress-svg.ts';
import { WHOLE_VIEW } from '../../shared/charts/progress-view.ts';
import type { Study } from '../../shared/study.ts';
import type { StudyClaims } from '../../shared/verdicts/claims.ts';
import { supersededAmong } from '../../shared/verdicts/late.ts';
import { eachExperiment } from '../export/export-study.ts';
import type { Ledger } from '../store/ledger.ts';

/** In pixels of the report's page. */
const SIZE = { width: 912, height: 380 };

/** The page's variables, which differ between light and dark. */
const COLOURS = {
  surface: 'var(--surface)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  line: 'var(--line)',
  lineStrong: 'var(--muted)',
  keep: 'var(--keep)',
  discard: 'var(--discard)',
  crash: 'var(--crash)',
};

/**
 * The window's chart of all experiments, as the text of an SVG; null if no experiment has a number.
 * @param hide called with each hypothesis before it is cut to a label
 */
export function bestSoFarSvg(
  ledger: Ledger,
  study: Study,
  claims: StudyClaims | null,
  hide: (text: string) => string,
): string | null {
  const sure = new Map<number, ProgressClaim>(claims?.keeps.map(claim => [claim.n, claim]));
  const experiments = [...eachExperiment(ledger, study)];
  const superseded = supersededAmong(experiments);
  const rows = experiments.map(({ n, startedAt, phase, verdict, metric, record, proposal }) => ({
    ...{ n, at: startedAt, hypothesis: proposal && hide(proposal.hypothesis) },
    claim: sure.get(n),
    isSuperseded: claims !== null && superseded.has(n),
    word: phase === 'recorded' ? (verdict?.word ?? null) : null,
    metric: verdict?.word === 'keep' ? (record?.mean ?? null) : metric,
  }));
  if (!rows.some(({ metric }) => metric !== null)) return null;
  const { name: metricName, goal } = study.contract.metric;
  return progressSvg(rows, {
    ...{ title: 'Best so far', goal, metricName, colours: COLOURS, ...SIZE },
    ...{ band: noiseBand(claims), view: WHOLE_VIEW },
    tally: ledger.experiments.tally(study.id, goal),
  });
}
